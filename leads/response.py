"""The clock of the first response: agreed per source in working time, escalated to the head when it runs out."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Avg, Count, F, Q
from django.utils.translation import gettext_noop

from crm.history.services import record_event
from crm.jobs.services import enqueue
from crm.notify.services import notify, publish
from crm.people.calendar import WorkingCalendar, add_working_time, working_calendar, working_time_between
from crm.people.models import Department, User
from leads.models import LEAD_KIND, Lead, LeadSource, LeadStatus

JOB = "leads.response_escalation"
KEY = "next"
LATE = gettext_noop("Nobody has answered “%(lead)s” within the agreed time; it belongs to %(owner)s.")


def deadline(
    source: LeadSource | None, received_at: datetime, calendar: WorkingCalendar | None = None
) -> datetime | None:
    """Until when a lead of the source wants its first response; None when nothing is agreed."""
    if source is None or not source.response_minutes:
        return None
    amount = timedelta(minutes=source.response_minutes)
    return add_working_time(received_at, amount, calendar or working_calendar())


def minutes_taken(received_at: datetime, answered_at: datetime) -> int:
    """The working minutes from arrival to answer, rounded down."""
    return int(working_time_between(received_at, answered_at, working_calendar()).total_seconds() // 60)


def watch(moments: list[datetime | None]) -> None:
    """Makes sure that somebody looks at the earliest of the deadlines. Inside the transaction that set them."""
    if earliest := min((moment for moment in moments if moment), default=None):
        enqueue(kind=JOB, key=KEY, run_at=earliest)


def unanswered():
    """New leads with a deadline, not yet escalated."""
    return Lead.objects.filter(
        status=LeadStatus.NEW, respond_by__isnull=False, escalated_at=None, deleted_at=None
    )


@transaction.atomic
def escalate(now: datetime, most: int = 100) -> int:
    """Tells the heads of unanswered leads whose time is over. How many there were."""
    late = unanswered().filter(respond_by__lte=now).select_related("owner").order_by("respond_by")
    leads = list(late[:most])
    Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(escalated_at=now)
    for lead in leads:
        record_event(kind="lead_response_overdue", subject=lead, by=None)
        params = {"lead": lead.name, "owner": str(lead.owner or "–")}
        for person in heads_above(lead.owner, lead.department_id):
            notify(user=person, kind="leads.response_overdue", text=LATE, params=params, record=lead)
        publish(kind=LEAD_KIND, record=lead)
    return len(leads)


def watch_next() -> None:
    """Sets the clock to the next deadline there is."""
    watch([unanswered().order_by("respond_by").values_list("respond_by", flat=True).first()])


def heads_above(user: User | None, department_id: int | None) -> list[User]:
    """The nearest active head above somebody, in a list; empty where there is none."""
    departments = {one.pk: one for one in Department.objects.select_related("head")}
    seen: set[int] = set()
    current = departments.get(department_id)
    while current is not None and current.pk not in seen:
        seen.add(current.pk)
        if current.head and current.head.is_active and current.head != user:
            return [current.head]
        current = departments.get(current.parent_id)
    return []


def response_figures(leads, now: datetime) -> list[dict]:
    """Per owner over the given leads: answered, mean working minutes, how many in time and late, still waiting late."""
    in_time = Q(respond_by__isnull=False, first_response_at__lte=F("respond_by"))
    late = Q(respond_by__isnull=False, first_response_at__gt=F("respond_by"))
    waiting = Q(status=LeadStatus.NEW, respond_by__lte=now)
    rows = leads.order_by().values("owner").annotate(
        received=Count("pk"),
        answered=Count("pk", filter=Q(first_response_at__isnull=False)),
        minutes=Avg("response_minutes"),
        in_time=Count("pk", filter=in_time),
        late=Count("pk", filter=late),
        waiting=Count("pk", filter=waiting),
    )  # fmt: skip
    people = User.objects.in_bulk([row["owner"] for row in rows if row["owner"]])
    found = [{**row, "owner": people.get(row["owner"])} for row in rows]
    for row in found:
        measured = row["in_time"] + row["late"] + row["waiting"]
        row["share"] = round(100 * row["in_time"] / measured) if measured else None
    return sorted(found, key=lambda row: (row["minutes"] is None, row["minutes"] or 0))
