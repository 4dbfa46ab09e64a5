"""Putting rows right before they are imported: single cells, all equal ones, values no dictionary knows."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.jobs.models import Job
from crm.listing.imports.registry import ImportField, importer_for
from crm.listing.imports.services import check_again, count_rows, demand_importer, demand_step
from crm.listing.imports.staging import Stager, dictionary_names, texts_of
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.reading import Row
from crm.people.folding import fold

# A cell of the file may hold 32,767 characters; nobody types that many into a correction.
TYPED_CHARACTERS = 2_000
# More rows than these are put right by a job.
AT_ONCE = 1_000
# Files up to this size have their keys compared again after each correction; in larger ones the run itself does.
COMPARED_ROWS = 5_000
CREATE = "+"


@transaction.atomic
def correct_cells(
    *, run: Import, number: int, texts: dict[int, str], everywhere: bool = False, by
) -> list[int]:
    """Writes over cells of one row; with `everywhere` over each cell of the same column that holds the same text.

    Returns the numbers of the rows put right; none when so many are that a job checks them. What was written is kept
    when the columns are matched anew. Raises WrongStep, PermissionDenied, ImportRow.DoesNotExist, ValidationError.
    """
    demand_importer(run.kind, by)
    demand_step(run, Import.Status.PREVIEWED)
    if any(len(text) > TYPED_CHARACTERS for text in texts.values()):
        raise ValidationError(_("Longer than %(most)s characters.") % {"most": TYPED_CHARACTERS})
    row = run.rows.get(number=number, status__in=(*ImportRow.PENDING, ImportRow.Status.BAD))
    texts = {
        index: text.replace("\x00", "").strip()
        for index, text in texts.items()
        if 0 <= index < len(run.columns)
    }
    changed = {index: text for index, text in texts.items() if _cell(row, index) != text}
    if everywhere:
        return _correct_equal(run, row, changed, by)
    kept = run.corrections.setdefault("cells", {}).setdefault(str(number), {})
    kept |= {str(index): text for index, text in changed.items()}
    _stage_again(run, [row], changed, by)
    return [number]


def _cell(row: ImportRow, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""


def _correct_equal(run: Import, row: ImportRow, changed: dict[int, str], by) -> list[int]:
    numbers: set[int] = set()
    for index, text in changed.items():
        old = _cell(row, index)
        same = run.rows.filter(
            status__in=(*ImportRow.PENDING, ImportRow.Status.BAD), **{f"cells__{index}": old}
        )
        _remember_equal(run, index, old, text)
        if same.count() > AT_ONCE:
            check_again(run=run, by=by)
            return []
        rows = list(same.order_by("number"))
        _stage_again(run, rows, {index: text}, by)
        numbers |= {one.number for one in rows}
    return sorted(numbers)


def _remember_equal(run: Import, index: int, old: str, text: str) -> None:
    """From now on `old` in this column means `text`; what was corrected to `old` before means it as well."""
    known = run.corrections.setdefault("values", {}).setdefault(str(index), {})
    for before, after in known.items():
        if after == old:
            known[before] = text
    known[old] = text
    for cells in run.corrections.get("cells", {}).values():
        if cells.get(str(index)) == old:
            cells[str(index)] = text


def _stage_again(run: Import, rows: list[ImportRow], texts: dict[int, str], by) -> None:
    """Reads the rows with the corrected cells; the others keep what was found out about them."""
    importer = importer_for(run.kind)
    stager = Stager.of(run, importer, by)
    numbers = {row.number for row in rows}
    if run.row_count <= COMPARED_ROWS:
        sound = run.rows.filter(status__in=ImportRow.PENDING).exclude(number__in=numbers)
        for number, values in sound.order_by("number").values_list("number", "values"):
            stager.remember(number, stager.keys(values))
    _forget_unknown(run, rows)
    raw = []
    for row in rows:
        cells = [*row.cells, *[""] * (max([*texts, -1]) + 1 - len(row.cells))]
        for index, text in texts.items():
            cells[index] = text
        raw.append(Row(row.number, cells))
    ImportRow.objects.bulk_create(
        stager.stage(raw),
        update_conflicts=True,
        unique_fields=["run", "number"],
        update_fields=["cells", "values", "errors", "duplicate", "status"],
        batch_size=250,
    )
    for key, counts in stager.unknown.items():
        known = run.unknown.setdefault(key, {})
        for text, count in counts.items():
            known[text] = known.get(text, 0) + count
    run.counts = count_rows(run)
    run.save(update_fields=["corrections", "unknown", "counts"])


def _forget_unknown(run: Import, rows: list[ImportRow]) -> None:
    for key, counts in run.unknown.items():
        for row in rows:
            for text in texts_of(row.values, key):
                if text in counts:
                    counts[text] -= 1
        run.unknown[key] = {text: count for text, count in counts.items() if count > 0}
    run.unknown = {key: counts for key, counts in run.unknown.items() if counts}


def may_create(target: ImportField, user) -> bool:
    """Whether values the column's dictionary lacks may be added to it by this user."""
    if target.creatable or target.dictionary is None:
        return target.creatable
    label = target.dictionary._meta.app_label
    return user.has_perm(f"{label}.add_{target.dictionary._meta.model_name}")


@transaction.atomic
def settle_unknown(*, run: Import, choices: dict[tuple[str, str], str], by) -> Job:
    """Says what values mean that no dictionary knows: {(field, text): CREATE, another entry's name, or ""}.

    Has the rows checked again. Raises WrongStep, PermissionDenied, ValidationError for an entry that does not exist.
    """
    importer = demand_importer(run.kind, by)
    demand_step(run, Import.Status.PREVIEWED)
    targets = importer.field_map(by)
    for (key, text), choice in choices.items():
        target = targets.get(key)
        if target is None or text not in run.unknown.get(key, {}):
            continue
        if choice == CREATE and may_create(target, by):
            wanted = run.options.setdefault("create", {}).setdefault(key, [])
            wanted += [] if text in wanted else [text]
        elif choice and choice != CREATE:
            _map_value(run, target, text, choice)
    return check_again(run=run, by=by)


def _map_value(run: Import, target: ImportField, text: str, choice: str) -> None:
    if target.dictionary is None or target.several or fold(choice) not in dictionary_names(target):
        raise ValidationError(_("There is no such value."))
    for index, key in run.by_column.items():
        if key == target.key:
            _remember_equal(run, index, text, choice)
