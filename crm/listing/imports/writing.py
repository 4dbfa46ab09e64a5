"""From staged rows to records: what to do with each row of a batch, and doing it."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction

from crm.listing.imports.registry import Importer, Key, Match, Written
from crm.listing.imports.staging import keys_of
from crm.listing.models import Import, ImportRow
from crm.people.many_rows import update_rows

Status = ImportRow.Status
Decision = ImportRow.Decision
REFUSALS = (IntegrityError, DataError, ValidationError)


@dataclass
class Plan:
    """What a batch will do: create rows, write rows over a record, or over a row created just before."""

    creates: list[ImportRow] = field(default_factory=list)
    updates: list[tuple[ImportRow, int]] = field(default_factory=list)
    follow: list[tuple[ImportRow, int]] = field(default_factory=list)
    skips: list[ImportRow] = field(default_factory=list)


def write_rows(run: Import, importer: Importer, rows: list[ImportRow], by) -> None:
    """Writes one batch inside the caller's transaction and notes on each row what became of it."""
    keys = {row.number: keys_of(run, importer, row.values) for row in rows}
    # Looked up again: others have worked since the preview, and earlier batches of this file were written.
    matches = importer.existing({key for found in keys.values() for key in found}, by=by)
    plan = make_plan(run.mode, rows, keys, matches, joins_twins=importer.joins_twins)
    for row in plan.skips:
        row.status = Status.SKIPPED
    written = _write(run, importer, plan.creates, plan.updates, by)
    _note(plan.creates, [row for row, _id in plan.updates], written)
    follow = [(row, written.created[first]) for row, first in plan.follow if first in written.created]
    for row, first in plan.follow:
        if first not in written.created:
            row.status = Status.SKIPPED
    if follow:
        _note([], [row for row, _id in follow], _write(run, importer, [], follow, by))
    store_rows(rows)


def store_rows(rows: list[ImportRow]) -> None:
    """Notes what became of the rows of a batch."""
    names = ("status", "record_id", "errors", "companions")
    update_rows(ImportRow, names, {row.pk: [getattr(row, name) for name in names] for row in rows})


def make_plan(
    mode: str,
    rows: list[ImportRow],
    keys: dict[int, list[Key]],
    matches: dict[Key, Match],
    *,
    joins_twins: bool = False,
) -> Plan:
    """Sorts the rows of a batch by what is to be done with them, in their order."""
    plan = Plan()
    firsts: dict[Key, int] = {}
    for row in rows:
        match = next((matches[key] for key in keys[row.number] if key in matches), None)
        twin = next((firsts[key] for key in keys[row.number] if key in firsts), None)
        decision = row.decision
        if joins_twins and not decision and mode != Import.Mode.ALL and (twin or "row" in row.duplicate):
            decision = Decision.UPDATE if match or twin else decision
        action = _action(mode, decision, match, twin)
        if action == Decision.CREATE:
            plan.creates.append(row)
        elif action == Decision.UPDATE and match:
            plan.updates.append((row, match.id))
        elif action == Decision.UPDATE and twin:
            plan.follow.append((row, twin))
        else:
            plan.skips.append(row)
        first = row.number if action == Decision.CREATE else twin
        if first and not match:
            for key in keys[row.number]:
                firsts.setdefault(key, first)
    return plan


def _action(mode: str, decision: str, match: Match | None, twin: int | None) -> str:
    known = match is not None or twin is not None
    updatable = match.updatable if match else twin is not None
    wanted = decision
    if not wanted and known:
        wanted = {"both": Decision.UPDATE, "update": Decision.UPDATE, "all": Decision.CREATE}.get(
            mode, Decision.SKIP
        )
    elif not wanted:
        wanted = Decision.SKIP if mode == Import.Mode.UPDATE else Decision.CREATE
    return Decision.SKIP if wanted == Decision.UPDATE and not updatable else wanted


def _write(
    run: Import, importer: Importer, creates: list, updates: list[tuple[ImportRow, int]], by
) -> Written:
    """The whole batch in bulk; if the database refuses it, row by row, so that only the guilty rows fail."""
    created = [(row.number, row.values) for row in creates]
    updated = [(row.number, row.values, record_id) for row, record_id in updates]
    if not created and not updated:
        return Written()
    try:
        with transaction.atomic():
            return importer.write(created, updated, run=run, by=by)
    except REFUSALS:
        return _write_singly(run, importer, created, updated, by)


def _write_singly(run: Import, importer: Importer, created: list, updated: list, by) -> Written:
    total = Written()
    for batch in [*(([one], []) for one in created), *(([], [one]) for one in updated)]:
        number = (batch[0] or batch[1])[0][0]
        try:
            with transaction.atomic():
                one = importer.write(*batch, run=run, by=by)
        except REFUSALS:
            total.failed[number] = "refused"
            continue
        total.created |= one.created
        total.updated |= one.updated
        total.failed |= one.failed
        total.companions |= one.companions
    return total


def _note(creates: list[ImportRow], updates: list[ImportRow], written: Written) -> None:
    for row in [*creates, *updates]:
        row.companions = written.companions.get(row.number, [])
        if row.number in written.created:
            row.status, row.record_id = Status.CREATED, written.created[row.number]
        elif row.number in written.updated:
            row.status, row.record_id = Status.UPDATED, written.updated[row.number]
        else:
            row.status = Status.FAILED
            why = written.failed.get(row.number, "refused")
            code, params = (why, {}) if isinstance(why, str) else why
            row.errors = [{"field": "", "column": None, "code": code, "params": params}]
