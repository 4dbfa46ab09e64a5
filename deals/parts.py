"""Rows that hang on a deal, such as its lines: adding, changing, removing, and putting them back as they were.

A `Part` describes one kind of row. Every change is one event of the deal with the rows before and after it, so it can
be undone like a change of a field; what the rows decide about the deal itself is written with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.history.editing import english, json_value, shown
from crm.history.services import FieldChange, record_event
from crm.notify.services import publish
from crm.people.visibility import demand
from deals.events import cards_of
from deals.ledger import write_worth
from deals.models import Deal
from deals.moves import locked
from deals.signals import deal_changed

MOST_ROWS = 200


class RowConflict(ValidationError):
    """Somebody changed the same value of the same row meanwhile."""


@dataclass(frozen=True)
class Part:
    """One kind of row of a deal; `key` names it in history and among the fields that a role may restrict.

    `columns`: what history keeps of a row. `describe(row)`: the row as a text, in English.
    `prepare(row, changed)`: derives columns after those in `changed` were written.
    `order`: how the rows follow each other.
    `settle(deal)`: derives columns from all rows; returns the deal's fields that follow from them.
    """

    key: str
    label: object
    model: type[models.Model]
    event: str
    columns: tuple[str, ...]
    describe: Callable[[models.Model], str]
    prepare: Callable[[models.Model, set], None] = lambda row, changed: None
    settle: Callable[[Deal], dict] = lambda deal: {}
    order: tuple[str, ...] = ("pk",)

    def rows(self, deal: Deal) -> list:
        return list(self.model.objects.filter(deal=deal).order_by(*self.order))

    def is_hidden(self, user) -> bool:
        return self.key in user.access.hidden_fields(Deal)

    def is_locked(self, user) -> bool:
        return self.key in user.access.locked_fields(Deal)

    def snapshot(self, deal: Deal) -> list[dict]:
        """The rows as history keeps them."""
        return [self._cells(row) for row in self.rows(deal)]

    def _cells(self, row) -> dict:
        fields = [self.model._meta.get_field(name) for name in self.columns]
        return {"id": row.pk, **{one.name: json_value(getattr(row, one.attname)) for one in fields}}

    def read(self, row, cells: dict) -> None:
        """Fills a row from what history kept; what it pointed at and is gone is left empty."""
        for name in self.columns:
            one = self.model._meta.get_field(name)
            value = cells.get(name)
            if one.is_relation:
                found = one.related_model._base_manager.filter(pk=value).exists() if value else False
                setattr(row, one.attname, value if found else None)
            else:
                setattr(row, one.attname, one.to_python(value))


def add_row(*, part: Part, deal: Deal, values: dict, by, via: str = ""):
    """A new row. Raises PermissionDenied, ValidationError (keyed by column)."""
    return add_rows(part=part, deal=deal, rows=[values], by=by, via=via)[0]


@transaction.atomic
def add_rows(*, part: Part, deal: Deal, rows: list[dict], by, via: str = "") -> list:
    """New rows as one change. Raises PermissionDenied, ValidationError (keyed by column)."""

    def write(fresh: Deal) -> list:
        if part.model.objects.filter(deal=fresh).count() + len(rows) > MOST_ROWS:
            raise ValidationError(_("At most %(count)s."), params={"count": MOST_ROWS})
        made = []
        for values in rows:
            row = part.model(deal=fresh, **values)
            part.prepare(row, set(values))
            row.full_clean(exclude=["deal"])
            row.save()
            made.append(row)
        return made

    return _change(part, deal, write, by, via)


@transaction.atomic
def edit_row(*, part: Part, row, values: dict, seen: dict | None = None, by, via: str = ""):
    """Changes columns of a row. `seen`: what the editor saw in them.

    Raises PermissionDenied, RowConflict when a value is not what was seen any more, ValidationError (keyed by column).
    """

    def write(fresh: Deal):
        present = part.model.objects.filter(pk=row.pk, deal=fresh).first()
        if present is None:
            raise ValidationError(_("This row is no longer there."))
        if any(getattr(present, name) != value for name, value in (seen or {}).items()):
            raise RowConflict(_("Somebody has just changed this. Look again before you write."))
        for name, value in values.items():
            setattr(present, name, value)
        part.prepare(present, set(values))
        present.full_clean(exclude=["deal"])
        present.save()
        return present

    return _change(part, row.deal, write, by, via)


@transaction.atomic
def remove_row(*, part: Part, row, by, via: str = "") -> None:
    """Takes a row away; nothing happens when it is gone already."""
    _change(part, row.deal, lambda fresh: part.model.objects.filter(pk=row.pk, deal=fresh).delete(), by, via)


@transaction.atomic
def remove_rows(*, part: Part, deal: Deal, pks: list[int], by, via: str = "") -> None:
    """Takes several rows of one deal away as one change. Raises PermissionDenied."""
    _change(part, deal, lambda fresh: part.model.objects.filter(pk__in=pks, deal=fresh).delete(), by, via)


@transaction.atomic
def restore_rows(
    *, part: Part, deal: Deal, rows: list[dict], values: dict | None = None, by, via: str = ""
) -> None:
    """Makes the deal's rows those that history kept. `values`: the deal's own fields, unless the rows decide them."""

    def write(fresh: Deal):
        present = {row.pk: row for row in part.rows(fresh)}
        part.model.objects.filter(deal=fresh).exclude(pk__in=[cells["id"] for cells in rows]).delete()
        for cells in rows:
            row = present.get(cells["id"]) or part.model(pk=cells["id"], deal=fresh)
            part.read(row, cells)
            row.full_clean(exclude=["deal"], validate_unique=False)
            row.save(force_insert=cells["id"] not in present)

    _change(part, deal, write, by, via, values)


def _change(part: Part, deal: Deal, write: Callable, by, via: str, values: dict | None = None):
    fresh = locked(deal)
    demand(by, "edit", fresh)
    if part.is_locked(by):
        raise PermissionDenied
    before, texts_before = part.snapshot(fresh), _texts(part, fresh)
    result = write(fresh)
    values = {**(values or {}), **part.settle(fresh)}
    after = part.snapshot(fresh)
    changes = [_deal_change(fresh, name, value) for name, value in values.items()]
    changes = [change for change in changes if change.old != change.new]
    if before != after:
        old, new = _difference(texts_before, _texts(part, fresh))
        changes.insert(0, FieldChange(part.key, english(part.label), before, after, old, new))
    if changes:
        _write_deal(fresh, values)
        _tell(part, fresh, changes, by, via)
    deal.refresh_from_db(fields=["version", "updated_at", *values])
    return result


def _texts(part: Part, deal: Deal) -> list[str]:
    return [part.describe(row) for row in part.rows(deal)]


def _difference(before: list[str], after: list[str]) -> tuple[str, str]:
    """The rows that differ, as they were and as they are."""
    return (
        "; ".join(text for text in before if text not in after),
        "; ".join(text for text in after if text not in before),
    )


def _deal_change(deal: Deal, name: str, value) -> FieldChange:
    column, old = Deal._meta.get_field(name), getattr(deal, name)
    texts = shown(column, old), shown(column, value)
    return FieldChange(name, english(column.verbose_name), json_value(old), json_value(value), *texts)


def _write_deal(deal: Deal, values: dict) -> None:
    Deal.objects.filter(pk=deal.pk).update(**values, version=F("version") + 1, updated_at=timezone.now())
    for name, value in values.items():
        setattr(deal, name, value)
    deal.version += 1


def _tell(part: Part, deal: Deal, changes: list[FieldChange], by, via: str) -> None:
    record_event(
        kind=part.event, subject=deal, by=by, cards=cards_of(deal), changes=changes, via=via, version=deal.version
    )  # fmt: skip
    fields = [change.field for change in changes]
    write_worth(deal=deal, fields=fields, by=by, via=via)
    deal_changed.send(Deal, deal=deal, by=by, fields=fields)
    publish(kind="deals.deal", record=deal)
