"""What the pages of the import wizard share: the steps on top, the tabs over the rows."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from crm.listing.import_forms import CHOSEN, MappingForm, ReadingForm, StartForm, UnknownForm, known_values
from crm.listing.imports.columns import Column
from crm.listing.imports.expecting import expected_counts
from crm.listing.imports.registry import Importer, importer_for
from crm.listing.imports.report import TABS, page_of_rows
from crm.listing.imports.services import imported_before
from crm.listing.imports.undoing import can_undo, is_undoing
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.errors import MESSAGES

_GREATEST = 2_000_000
BEGINNING = 8


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
        "withdrawn": _("Undone"),
        "left": _("Left alone"),
    }
    tabs = []
    for key, statuses in TABS.items():
        counted = run.counts if not statuses else {status: run.counts.get(status, 0) for status in statuses}
        count = sum(counted.values())
        if count or key in ("all", show):
            tabs.append({"label": labels[key], "url": f"?show={key}", "current": key == show, "count": count})
    return tabs


def row_number(request, given=None) -> int:
    """The `after` parameter; anything that is not a row number counts as the beginning."""
    text = (request.GET if given is None else given).get("after", "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < _GREATEST else 0


def mapping_context(run: Import, importer: Importer, form: MappingForm, columns: list[Column]) -> dict:
    bound = form.fixed.items()
    return {
        "run": run,
        "importer": importer,
        "form": form,
        "pairs": [(column, form[form.names[column.index]]) for column in columns],
        "fixed": [form[name] for _key, name in bound],
        "has_fixed": bool(run.options.get("fixed")) or any(name in form.errors for _key, name in bound),
        "matched": sum(column.index in run.by_column for column in columns),
        "reading": ReadingForm(run=run),
        "beginning": run.head[:BEGINNING],
        "earlier": imported_before(run),
        "steps": steps("mapping"),
    }


def preview_context(run: Import, user, *, show: str, after: int, focus: int = 0) -> dict:
    importer = importer_for(run.kind)
    targets = importer.field_map(user)
    used = [targets[key] for key in dict.fromkeys(run.by_column.values()) if key in targets]
    return {
        "run": run,
        "importer": importer,
        "rows": page_of_rows(run, importer, user, show=show, after=after, focus=focus),
        "tabs": preview_tabs(run, show),
        "show": show,
        "after": after,
        "modes": mode_lines(run, importer),
        "decisions": ImportRow.Decision.choices,
        "unknown": UnknownForm(run=run, importer=importer, user=user) if run.unknown else None,
        "lists": [(target.key, known_values(target)) for target in used if target.kind in CHOSEN],
        "importable": run.counts.get("ready", 0) + run.counts.get("duplicate", 0),
        "steps": steps("preview"),
    }


def mode_lines(run: Import, importer: Importer) -> list[dict]:
    """The ways of importing, each with what it would do now."""
    counts = expected_counts(run, importer)
    form = StartForm(initial={"mode": run.mode})
    return [{"radio": radio, **counts[radio.data["value"]]} for radio in form["mode"]]


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
