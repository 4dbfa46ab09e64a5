"""A process of its own for the test that kills imports: `import_actor.py setup FILE | start | work | report`."""

import json
import os
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup()

from django.conf import settings  # noqa: E402

settings.JOBS_RING = False

from crm.history.models import Change, Comment, Event, EventLink  # noqa: E402
from crm.jobs import worker  # noqa: E402
from crm.jobs.models import Job  # noqa: E402
from crm.listing import tasks  # noqa: E402
from crm.listing.imports import services  # noqa: E402
from crm.listing.models import Import, ImportRow  # noqa: E402
from crm.people.models import User  # noqa: E402
from leads.models import LEAD_KIND, Lead  # noqa: E402
from tests.factories.imports import upload_of  # noqa: E402
from tests.factories.people import make_company  # noqa: E402

tasks.BATCH = 50
USER = "head"


def setup(path: str) -> None:
    """A fresh import of the file, waiting to be checked."""
    if not User.objects.filter(username=USER).exists():
        make_company()
    for model in (Change, Comment, EventLink, Event, Lead, ImportRow, Import, Job):
        model._base_manager.all().delete()
    by = User.objects.get(username=USER)
    run = services.create_import(upload=upload_of(Path(path)), kind=LEAD_KIND, by=by)
    services.check_import(run=run, mapping=run.by_column, by=by)


def start() -> None:
    services.start_import(run=Import.objects.get(), by=User.objects.get(username=USER))


def work() -> None:
    """Says when it is in the middle of a batch, and waits a little there, so that it can be killed."""
    tell(tasks.ImportRow.objects, "bulk_create")
    tell(tasks, "write_rows")
    # The purge of old imports is always waiting for its next time.
    while (
        Job.objects.open().filter(kind__startswith="listing.").exclude(kind="listing.import_purge").exists()
    ):
        worker.sweep()
        worker.drain(seconds=2)
        time.sleep(0.05)


def tell(owner, name: str) -> None:
    real, batches = getattr(owner, name), []

    def telling(*args, **kwargs):
        result = real(*args, **kwargs)
        batches.append(1)
        print("inside", len(batches), flush=True)
        time.sleep(0.03)
        return result

    setattr(owner, name, telling)


def report() -> None:
    rows = ImportRow.objects.order_by("number").values_list(
        "number", "status", "errors", "duplicate", "values"
    )
    leads = Lead._base_manager.order_by("name", "email").values_list(
        "name", "phone", "email", "note", "search_text"
    )
    run = Import.objects.get()
    events = Event.objects.filter(kind="lead_imported")
    print(
        json.dumps(
            {
                "status": run.status,
                "counts": run.counts,
                "rows": list(rows),
                "leads": list(leads),
                "events": [events.count(), EventLink.objects.filter(event__in=events).count()],
                "linked": events.values("subject_id").distinct().count(),
                "jobs": list(
                    Job.objects.filter(kind__startswith="listing.")
                    .exclude(kind="listing.import_purge")
                    .order_by("pk")
                    .values_list("status", flat=True)
                ),
            }
        )
    )


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    {"setup": setup, "start": start, "work": work, "report": report}[verb](*rest)
