"""The team's calendar, and the strip of free and busy times in the forms of activities."""

from __future__ import annotations

from datetime import timedelta

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from collab.calendar.availability import availability
from collab.calendar.calendar_pages import read_day
from collab.calendar.forms import MOST_MINUTES
from collab.calendar.models import Activity
from collab.calendar.moments import MomentField
from collab.calendar.resources import Resource
from collab.calendar.team import team_of
from crm.people.models import User
from crm.web.access import get_visible
from crm.web.htmx import page

VIEWS = ("day", "week", "month")


@require_safe
def team_calendar(request):
    """`?view=week&date=2026-11-26&department=4`: one row for each person; a table, read aloud as well as looked at."""
    view = request.GET.get("view", "")
    day = read_day(request.GET.get("date", "")) or timezone.localdate()
    team = team_of(
        request.user, view if view in VIEWS else "week", day, request.GET.get("department", "")[:15]
    )
    return page(request, "collab/calendar/team_calendar.html", {"team": team}, partial="team")


@require_safe
def free_busy(request):
    """A fragment for the form it stands in: reads the form's own fields, or `activity` for one that is being moved."""
    try:
        start = MomentField(required=False).clean(request.GET.get("starts_at", ""))
    except ValidationError:
        start = None
    if start is None:
        return HttpResponse("")
    minutes, number = request.GET.get("minutes", ""), request.GET.get("activity", "")
    length = timedelta(minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 5 else 0)
    owner, without = request.GET.get("owner", ""), 0
    if number.isdecimal() and len(number) < 16:
        activity = get_visible(Activity, request.user, int(number), "edit")
        owner, without = str(activity.owner_id), activity.pk
    if without and "with" not in request.GET:
        people = _of(activity)
        length = (activity.ends_at or activity.starts_at) - activity.starts_at
    else:
        people = _people(request, owner)
    length = min(length, timedelta(minutes=MOST_MINUTES))
    rooms = _resources(request.GET.getlist("resources"))
    found = availability(request.user, people, start, length, without, rooms)
    return page(request, "collab/calendar/free_busy.html", {"found": found, "start": start}, partial="strip")


def _people(request, owner: str) -> list[User]:
    """The owner, the reader when the form names none, and the colleagues ticked."""
    named = [pk for pk in request.GET.getlist("colleagues")[:60] if pk.isdecimal() and len(pk) < 16]
    first = int(owner) if owner.isdecimal() and len(owner) < 16 else request.user.pk
    rows = User.objects.filter(pk__in=[first, *map(int, named)], is_active=True)
    return sorted(rows, key=lambda one: one.pk != first)


def _resources(asked: list[str]) -> list[Resource]:
    pks = [int(pk) for pk in asked[:30] if pk.isdecimal() and len(pk) < 16]
    return list(Resource.objects.filter(pk__in=pks)) if pks else []


def _of(activity: Activity) -> list[User]:
    invited = activity.participants.exclude(user=None).select_related("user")
    return [activity.owner, *(row.user for row in invited)]
