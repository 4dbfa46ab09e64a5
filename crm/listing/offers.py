"""What a list offers to choose from: colleagues, entries of dictionaries, saved views. One query for all of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Case, CharField, Exists, IntegerField, OuterRef, Value, When
from django.db.models.functions import Cast, Concat

from crm.listing.fields import Field
from crm.listing.models import DefaultView, SavedView
from crm.people.folding import sort_key
from crm.people.models import User
from crm.people.names import localised
from crm.people.prepared import Prepared

_OWN, _SHARED, _DEFAULT = 4, 2, 1
_VIEW, _PERSON = "view", "person"


@dataclass(frozen=True)
class ViewOffer:
    """A saved view that the reader may open."""

    pk: int
    name: str
    query: str
    is_own: bool
    is_shared: bool
    is_default: bool


@dataclass
class Offers:
    """`pairs`: (id, label) by the key of a field; people under `person`."""

    pairs: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    views: list[ViewOffer] = field(default_factory=list)

    @property
    def default_view(self) -> ViewOffer | None:
        return next((view for view in self.views if view.is_default), None)

    def of(self, one: Field) -> list[tuple[str, str]]:
        """What a condition on the field may be compared with."""
        if one.kind == "person":
            return self.pairs.get(_PERSON, [])
        return self.pairs.get(one.key, []) if one.kind in {"record", "records", "tags"} else one.choices()


def _flag(condition, value: int) -> Case:
    return Case(When(condition, then=Value(value)), default=Value(0), output_field=IntegerField())


def _views(user: User, kind: str):
    chosen = DefaultView.objects.filter(user=user, view=OuterRef("pk"))
    rank = (
        _flag(Exists(SavedView.objects.filter(pk=OuterRef("pk"), owner=user)), _OWN)
        + _flag(Exists(SavedView.objects.filter(pk=OuterRef("pk"), is_shared=True)), _SHARED)
        + _flag(Exists(chosen), _DEFAULT)
    )
    text = CharField()
    return SavedView.objects.visible_to(user).filter(kind=kind).values_list(
        Value(_VIEW), "pk", Cast("name", text), Cast("query", text), Value("", output_field=text), rank
    )  # fmt: skip


def _people():
    text = CharField()
    full = Concat("first_name", Value(" "), "last_name", output_field=text)
    return User.objects.filter(is_active=True).values_list(
        Value(_PERSON), "pk", full, Cast("username", text), Value("", output_field=text), Value(0)
    )


def _entries(one: Field):
    text = CharField()
    group = Cast(one.group, text) if one.group else Value("", output_field=text)
    return one.dictionary.objects.filter(**one.offered).values_list(
        Value(one.key), "pk", Cast("name", text), Cast("name_pl", text), group, "position"
    )


_prepared: dict[tuple, Prepared] = {}


def _rows(user, kind: str, fields: list[Field]) -> list[tuple]:
    key = (
        kind,
        bool(user.department_id),
        *((one.key, one.dictionary, *one.offered.items(), one.group) for one in fields),
    )
    if key not in _prepared:
        _prepared[key] = Prepared(
            lambda *numbers: _query(kind, fields, *numbers), 2 if user.department_id else 1
        )
    return _prepared[key].rows(user.pk, user.department_id)


def _query(kind: str, fields: list[Field], user_id: int, department_id: int | None = None):
    reader = User(pk=user_id, department_id=department_id)
    parts = [_people(), *map(_entries, fields), _views(reader, kind)]
    return parts[0].order_by().union(*(part.order_by() for part in parts[1:]), all=True)


def read_offers(user, kind: str, fields: Iterable[Field]) -> Offers:
    """Everything the list of `kind` offers this reader."""
    found: dict[str, list] = {}
    offers = Offers()
    for what, pk, first, second, group, rank in _rows(user, kind, [one for one in fields if one.dictionary]):
        if what == _VIEW:
            offers.views.append(
                ViewOffer(pk, first, second, bool(rank & _OWN), bool(rank & _SHARED), bool(rank & _DEFAULT))
            )
            continue
        shown = (first.strip() or second) if what == _PERSON else localised(first, second)
        found.setdefault(what, []).append((group, rank, sort_key(shown), str(pk), shown))
    for what, entries in found.items():
        several = len({group for group, *_rest in entries}) > 1
        offers.pairs[what] = [
            (pk, f"{shown} · {group}" if several else shown) for group, _rank, _key, pk, shown in sorted(entries)
        ]  # fmt: skip
    offers.views.sort(key=lambda view: (not view.is_own, sort_key(view.name)))
    return offers
