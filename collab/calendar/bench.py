"""The calendars of a person and of a team, and writing activities."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from collab.calendar.layers import calendar_layers
from collab.calendar.models import Activity
from crm.web.bench.pages import Page, bench_pages
from deals.models import Deal, DealStatus


@bench_pages
def calendars(user) -> Iterator[Page]:
    """Pages before the last Monday, where what was done stands beside what is planned."""
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    yield Page("calendar", "list", reverse("collab_calendar:calendar"))
    span = f"start={monday}&end={monday + timedelta(days=7)}&people={user.pk}"
    layers = ",".join(layer.key for layer in calendar_layers())
    yield Page(
        "week of one person", "list", f"{reverse('collab_calendar:calendar_events')}?{span}&layers={layers}"
    )
    team = reverse("collab_calendar:team_calendar")
    yield Page("week of a team", "report", f"{team}?view=week&date={today}")
    yield Page("month of a team", "report", f"{team}?view=month&date={today}&department=all")


@bench_pages
def writing(user) -> Iterator[Page]:
    deal = Deal.objects.visible_to(user).filter(status=DealStatus.ACTIVE).order_by("-pk").first()
    now = timezone.localtime().replace(microsecond=0, tzinfo=None).isoformat()
    if deal is not None:
        url = f"{reverse('collab_calendar:activity_create')}?deal={deal.pk}"
        data = {"kind": "call", "subject": "Rozmowa", "starts_at": now, "minutes": "15"}
        yield Page("plan a call", "post", url, data=data)
        logged = data | {"result": "Odebrał, prosi o ofertę."}
        yield Page("log a call", "post", f"{url}&done=1", data=logged)
    mine = Activity.objects.open().filter(owner=user).order_by("starts_at").first()
    if mine is not None:
        url = reverse("collab_calendar:activity_completion", args=[mine.pk])
        yield Page("complete a call", "post", url, data={"result": "Zrobione."})
