"""Jobs of deals: what they are worth in the company's currency when rates change, and as days go by."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_noop

from crm.jobs.registry import handler
from crm.jobs.run import JobRun
from deals.models import OPEN_STATUSES, Deal
from deals.worth import refresh_worth

SLICE = 500
NOTE = gettext_noop("Counting deals at the new rates")


def _refresh(run: JobRun, deals) -> dict:
    """Goes through the deals by their ids, some hundred a slice, on from the checkpoint."""
    last, done, changed = (run.checkpoint.get(name, 0) for name in ("last", "done", "changed"))
    run.save(total=deals.count(), note=NOTE)
    while rows := list(deals.filter(pk__gt=last).order_by("pk")[:SLICE]):
        with run.slice():
            changed += refresh_worth(rows)
            last, done = rows[-1].pk, done + len(rows)
            run.save(checkpoint={"last": last, "done": done, "changed": changed}, done=done)
    return {"changed": changed}


@handler("deals.worth", long=True)
def worth(run: JobRun) -> dict:
    """After rates of a currency changed from a day on: the open deals, and those closed since."""
    since = date.fromisoformat(run.args["since"])
    concerned = Q(status__in=OPEN_STATUSES) | Q(closed_at__date__gte=since)
    return _refresh(run, Deal.objects.filter(concerned, currency=run.args["currency"]))


@handler("deals.worths", long=True, every=timedelta(hours=24))
def worths(run: JobRun) -> dict:
    """Every day: a rate that was entered beforehand begins to hold, and the company may have another currency."""
    return _refresh(run, Deal.objects.all())
