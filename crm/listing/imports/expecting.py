"""What importing the checked rows would do, for each way of doing it, before anything is written."""

from __future__ import annotations

from django.db.models import BooleanField, Count, ExpressionWrapper, Q

from crm.listing.imports.registry import Importer
from crm.listing.models import Import, ImportRow

Mode = Import.Mode
Decision = ImportRow.Decision
_OUTCOME = {Decision.CREATE: "created", Decision.UPDATE: "updated", Decision.SKIP: "skipped"}


def expected_counts(run: Import, importer: Importer) -> dict[str, dict[str, int]]:
    """{mode: {created, updated, skipped}}; one query. Others may work meanwhile, so the run itself looks again."""
    twin = ExpressionWrapper(Q(duplicate__has_key="row"), output_field=BooleanField())
    groups = (
        run.rows.filter(status__in=ImportRow.PENDING)
        .order_by()
        .annotate(twin=twin)
        .values_list("status", "decision", "duplicate__updatable", "twin")
        .annotate(Count("pk"))
    )
    found = {mode: dict.fromkeys(_OUTCOME.values(), 0) for mode in Mode.values}
    for status, decision, updatable, is_twin, count in groups:
        for mode in Mode.values:
            outcome = _outcome(
                mode, decision, known=status == ImportRow.Status.DUPLICATE, updatable=bool(updatable),
                twin=bool(is_twin), joins=importer.joins_twins,
            )  # fmt: skip
            found[mode][_OUTCOME[outcome]] += count
    return found


def _outcome(mode: str, decision: str, *, known: bool, updatable: bool, twin: bool, joins: bool) -> str:
    if not decision and twin and joins and mode in (Mode.CREATE, Mode.BOTH):
        return Decision.UPDATE
    if decision:
        wanted = Decision(decision)
    elif known:
        wanted = {Mode.CREATE: Decision.SKIP, Mode.ALL: Decision.CREATE}.get(Mode(mode), Decision.UPDATE)
    else:
        wanted = Decision.SKIP if mode == Mode.UPDATE else Decision.CREATE
    if wanted != Decision.UPDATE:
        return wanted
    # In a file that only updates, the row before was left out, so there is nothing to add to.
    possible = (twin and mode != Mode.UPDATE) or updatable
    return Decision.UPDATE if known and possible else Decision.SKIP
