"""Records side by side, and what hangs on them, as far as the reader may see it."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from counterparties.matching.merging import EMPTY, Choice, best_source, choices_of
from counterparties.matching.registry import MergeKind
from counterparties.matching.relinking import relations_of
from crm.attributes.references import readable_links
from crm.attributes.values import show_value
from crm.people.phones import show_phone
from crm.people.visibility import OwnedRecord, VisibleQuerySet


@dataclass(frozen=True)
class Cell:
    """One record's value of a field; `title` names the record. `is_chosen`: it stays."""

    pk: int
    title: str
    text: str
    is_chosen: bool


@dataclass(frozen=True)
class Row:
    """A field of all records. `is_free`: the reader may choose; `differs`: there is something to choose."""

    name: str
    label: str
    cells: list[Cell]
    differs: bool
    is_free: bool


@dataclass
class Comparison:
    """`records`: the survivor first. `same`: rows without a difference; `moving`: (what, how many) is re-linked."""

    records: list[OwnedRecord]
    rows: list[Row] = field(default_factory=list)
    same: list[Row] = field(default_factory=list)
    moving: list[tuple[str, int]] = field(default_factory=list)


def compare(kind: MergeKind, records: list[OwnedRecord], *, user, chosen: dict[str, int]) -> Comparison:
    """Fields hidden from the reader are left out; what he may not write cannot be chosen."""
    hidden, locked = user.access.hidden_fields(kind.model), user.access.locked_fields(kind.model)
    found = Comparison(records)
    choices = [
        one for one in choices_of(kind, records) if one.name not in hidden and one.name not in kind.derived
    ]
    links = readable_links(user, [value for one in choices if one.attribute for value in one.values.values()])
    for choice in sorted(choices, key=lambda one: one.name == "owner"):
        if all(value in EMPTY for value in choice.values.values()):
            continue
        if choice.is_united:
            continue
        is_free = choice.name not in locked and (
            choice.name != "owner" or user.access.may(kind.model, "assign")
        )
        row = _row(choice, records, chosen if is_free else {}, is_free, links)
        (found.rows if choice.differs or len(set(map(_shown, row.cells))) > 1 else found.same).append(row)
    found.moving = what_moves(kind, records[1:], user)
    return found


def _shown(cell: Cell) -> str:
    return cell.text


def _row(
    choice: Choice, records: list[OwnedRecord], chosen: dict[str, int], is_free: bool, links: dict
) -> Row:
    stays = chosen.get(choice.name)
    if stays not in choice.values:
        stays = best_source(choice, records)
    cells = [Cell(one.pk, str(one), _text(choice, one, links), one.pk == stays) for one in records]
    return Row(choice.name, choice.label, cells, choice.differs, is_free)


def _text(choice: Choice, record: OwnedRecord, links: dict) -> str:
    value = choice.values[record.pk]
    if value in EMPTY:
        return ""
    if choice.attribute is not None:
        return (
            str(links[value])
            if isinstance(value, str) and value in links
            else show_value(choice.attribute, value)
        )
    if choice.field.name == "phone":
        return show_phone(value)
    if choice.field.choices:
        return str(getattr(record, f"get_{choice.field.name}_display")())
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(getattr(record, choice.field.name))


def what_moves(kind: MergeKind, merged: list[OwnedRecord], user) -> list[tuple[str, int]]:
    """(plural name, how many the reader sees) of the records that hang on those that are merged; a query a table."""
    pks, counts = [record.pk for record in merged], {}
    for relation in relations_of(kind.model):
        manager = getattr(relation.model, "objects", None)
        if relation.kind_column or manager is None or relation.is_own:
            continue
        rows = manager.all()
        if not isinstance(rows, VisibleQuerySet):
            continue
        count = rows.visible_to(user).filter(**{f"{relation.column}__in": pks}).count()
        label = str(relation.model._meta.verbose_name_plural)
        if count:
            counts[label] = counts.get(label, 0) + count
    return sorted(counts.items())
