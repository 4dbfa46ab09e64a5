"""What the pages of the import wizard share: the steps on top, the tabs over the rows."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.listing.forms import MappingForm, ReadingForm, StartForm
from crm.listing.imports.columns import Column
from crm.listing.imports.registry import Importer, importer_for
from crm.listing.imports.report import TABS, page_of_rows
from crm.listing.imports.services import imported_before
from crm.listing.imports.undoing import can_undo, is_undoing
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.errors import MESSAGES

_GREATEST = 2_000_000


@dataclass(frozen=True)
class Step:
    number: int
    label: str
    state: str


def steps(current: str) -> list[Step]:
    """The wizard's steps, each done, current or still to come."""
    names = {"upload": _("File"), "mapping": _("Columns"), "preview": _("Preview"), "run": _("Import")}
    place = list(names).index(current)
    return [
        Step(rank + 1, label, "done" if rank < place else "current" if rank == place else "later")
        for rank, label in enumerate(names.values())
    ]


def preview_tabs(run: Import, show: str, *, ended: bool = False) -> list[dict]:
    """The filters above the rows, with their counts; empty ones are left out."""
    labels = {
        "all": _("All"),
        "ready": _("Not imported") if ended else _("New"),
        "duplicates": _("Duplicates"),
        "bad": _("With errors"),
        "created": _("Created"),
        "updated": _("Updated"),
        "skipped": _("Skipped"),
    }
    tabs = []
    for key, statuses in TABS.items():
        counted = run.counts if not statuses else {status: run.counts.get(status, 0) for status in statuses}
        count = sum(counted.values())
        if count or key in ("all", show):
            tabs.append({"label": labels[key], "url": f"?show={key}", "current": key == show, "count": count})
    return tabs


def row_number(request) -> int:
    """The `after` parameter; anything that is not a row number counts as the beginning."""
    text = request.GET.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < _GREATEST else 0


def mapping_context(run: Import, importer: Importer, form: MappingForm, columns: list[Column]) -> dict:
    return {
        "run": run,
        "importer": importer,
        "form": form,
        "pairs": [(column, form[form.names[column.index]]) for column in columns],
        "matched": sum(column.index in run.by_column for column in columns),
        "reading": ReadingForm(run=run),
        "earlier": imported_before(run),
        "steps": steps("mapping"),
    }


def preview_context(run: Import, user, *, show: str, after: int) -> dict:
    importer = importer_for(run.kind)
    return {
        "run": run,
        "importer": importer,
        "rows": page_of_rows(run, importer, user, show=show, after=after),
        "tabs": preview_tabs(run, show),
        "show": show,
        "form": StartForm(initial={"mode": run.mode}),
        "decisions": ImportRow.Decision.choices,
        "importable": run.counts.get("ready", 0) + run.counts.get("duplicate", 0),
        "steps": steps("preview"),
    }


def detail_context(run: Import, user, *, show: str, after: int) -> dict:
    """Progress while the import works; once it has ended, what became of its rows."""
    importer = importer_for(run.kind)
    context = {
        "run": run,
        "importer": importer,
        "steps": steps("run" if run.status == Import.Status.RUNNING or run.is_ended else "preview"),
        "reason": str(MESSAGES[run.error]) % run.error_params if run.error in MESSAGES else "",
        "list_url": importer.list_url(run),
        "can_undo": can_undo(run, user),
        "is_undoing": is_undoing(run),
    }
    if run.is_ended:
        rows = page_of_rows(run, importer, user, show=show, after=after)
        faulty = sum(run.counts.get(status, 0) for status in ImportRow.FAULTY)
        context |= {"rows": rows, "tabs": preview_tabs(run, show, ended=True), "show": show, "faulty": faulty}
    return context
