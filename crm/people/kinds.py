"""The registry of kinds of record: how other rooms name, find and link a record without knowing its area."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db.models import Model, QuerySet
from django.urls import reverse

from crm.people.access import kind_label, register_followed

STANDARD_ACTIONS = ("view", "create", "edit", "delete", "assign", "export", "import")


@dataclass(frozen=True)
class RecordKind:
    """One kind of record.

    `name`, `plural`: lazy texts. `icon`: a Bootstrap icon's name. `detail_url`: URL name taking the pk.
    `rights`: named rights beyond the standard actions as (action, lazy label) pairs.
    `searchable`: the model keeps a folded `search_text`.
    `personal`: stands in one person's calendar; a new installation shows sellers only their own.
    `common`: a catalogue of the whole company; in a new installation everybody reads it and marketing keeps it.
    `summary`: what tells two records of the same name apart, in a few words; may use `summary_related`.
    `facts`: the record's values as a process's expressions read them, a flat dict of JSON values.
    `fact_related`: what `facts` reads beside the record, as `owner` or, where one field will do, as `stage__key`.
    `follows`: the kind whose rights are this one's, for rows that hang on a card (see `access.register_followed`).
    `fact_kinds`: the kinds of these values by name (number, text, date, bool, list, any), as expressions are checked.
    """

    model: type[Model]
    name: str
    plural: str
    icon: str
    detail_url: str
    rights: tuple[tuple[str, str], ...] = ()
    searchable: bool = False
    facts: Callable[[Model], dict] | None = None
    fact_related: tuple[str, ...] = ()
    fact_kinds: Callable[[], dict[str, str]] | None = None
    personal: bool = False
    common: bool = False
    summary: Callable[[Model], str] | None = None
    summary_related: tuple[str, ...] = ()
    follows: str = ""

    @property
    def label(self) -> str:
        return kind_label(self.model)

    def visible(self, user, action: str = "view") -> QuerySet:
        """The records of the kind on which the user may perform the action."""
        return self.model.objects.visible_to(user, action)

    def with_facts(self, rows: QuerySet) -> QuerySet:
        """These rows with what their facts need, read in the same query."""
        if not self.fact_related:
            return rows
        narrow = [path.split("__") for path in self.fact_related if "__" in path]
        left_out = [
            f"{name}__{field.attname}"
            for name, kept in narrow
            for field in self.model._meta.get_field(name).related_model._meta.concrete_fields
            if field.attname != kept and not field.primary_key
        ]
        return rows.select_related(*(path.partition("__")[0] for path in self.fact_related)).defer(*left_out)

    def url(self, pk: int) -> str:
        return reverse(self.detail_url, args=[pk])


_kinds: dict[str, RecordKind] = {}


def register_kind(kind: RecordKind) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _kinds[kind.label] = kind
    if kind.follows:
        register_followed(kind.label, kind.follows)


def all_kinds() -> list[RecordKind]:
    """Every registered kind, in the order the areas registered them."""
    return list(_kinds.values())


def granted_kinds() -> list[RecordKind]:
    """The kinds whose rights roles grant: without those that follow another kind."""
    return [kind for kind in all_kinds() if not kind.follows]


def kind_named(label: str) -> RecordKind | None:
    """The kind with this label, None for one that no area offers any more."""
    return _kinds.get(label)


def kind_of(record: Model) -> RecordKind:
    """The kind a record belongs to. Raises KeyError for a model no area registered."""
    return _kinds[kind_label(type(record))]


def visible_pairs(user, pairs: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Model]:
    """The records named by (kind label, id) that the user may view, one query for each kind."""
    wanted: dict[str, set[int]] = {}
    for label, pk in pairs:
        wanted.setdefault(label, set()).add(pk)
    found = {}
    for label, pks in wanted.items():
        if kind := kind_named(label):
            for record in kind.visible(user).filter(pk__in=pks):
                found[label, record.pk] = record
    return found
