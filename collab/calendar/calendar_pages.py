"""The calendar itself: month, week, day and agenda of one or several people, and what the browser asks for."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from collab.calendar import services
from collab.calendar.backgrounds import background_of, opening_hours
from collab.calendar.layers import Mark, calendar_layers
from collab.calendar.models import Activity
from collab.calendar.moments import MomentField
from collab.calendar.schedule import Entry, entries, people_shown, wall
from crm.history.editing import EditConflict
from crm.people.models import User
from crm.web import formats
from crm.web.access import get_visible
from crm.web.company import may_change_company
from crm.web.htmx import page

VIEWS = ("month", "week", "day", "agenda")
ICONS = [
    ("call", "telephone"), ("meeting", "people"), ("letter", "envelope"), ("done", "check-lg"), ("cancelled", "x-lg"),
    ("overdue", "exclamation-circle"), ("repeats", "arrow-repeat"), ("private", "lock"), ("busy", "slash-circle"),
]  # fmt: skip
MOST_PEOPLE = 15
LONGEST_SPAN = timedelta(days=62)


@require_safe
def calendar(request):
    """`?view=week&date=2026-11-26&people=3,5`: what is shown can be sent to a colleague and reloaded."""
    everybody = list(people_shown(request.user))
    shown = _people(request, everybody)
    view = request.GET.get("view", "")
    context = {
        "view": view if view in VIEWS else "",
        "date": read_day(request.GET.get("date", "")) or timezone.localdate(),
        "now": wall(timezone.now()),
        "shown": [(person, _address(shown, person)) for person in shown],
        "others": [person for person in everybody if person not in shown],
        "people": ",".join(str(person.pk) for person in shown),
        "is_own": shown == [request.user],
        "layers": calendar_layers(),
        "icons": ICONS,
        "hours": json.dumps(opening_hours()),
        "may_keep_templates": may_change_company(request.user),
    }
    return page(request, "collab/calendar/calendar.html", context)


def _people(request, everybody: list[User]) -> list[User]:
    """Whose calendars the address names, as far as the reader may see them; his own when it names nobody."""
    named = ",".join([request.GET.get("people", ""), request.GET.get("add", "")]).split(",")
    wanted = {int(pk) for pk in named if pk.isdecimal() and len(pk) < 16}
    found = [person for person in everybody if person.pk in wanted]
    return found[:MOST_PEOPLE] or [request.user]


def _address(shown: list[User], without: User) -> str:
    """The query that shows the others alone."""
    return "?people=" + ",".join(str(person.pk) for person in shown if person != without)


def read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return found if 1971 <= found.year <= 2100 else None


@require_safe
def calendar_events(request):
    """What happens from `start` to before `end` (days) in the calendars of `people`, with the marks of `layers`."""
    first, last = read_day(request.GET.get("start", "")), read_day(request.GET.get("end", ""))
    if first is None or last is None or not timedelta(0) < last - first <= LONGEST_SPAN:
        return JsonResponse({"message": _("The calendar cannot show so long a time.")}, status=400)
    zone = timezone.get_current_timezone()
    start, end = (datetime.combine(day, time.min, zone) for day in (first, last))
    people = {person.pk: person for person in _people(request, list(people_shown(request.user)))}
    asked = request.GET.get("layers", "").split(",")
    found = [_event(entry, people) for entry in entries(request.user, people, start, end)]
    for layer in calendar_layers():
        if layer.key in asked:
            marks = layer.marks(request.user, list(people), start, end)
            found += [_mark(mark, layer, people) for mark in marks]
    found += background_of(people, first, last)
    return JsonResponse({"events": found})


def _event(entry: Entry, people: dict[int, User]) -> dict:
    """One activity as the browser's calendar takes it; of one the reader may not see its time alone."""
    activity = entry.activity
    times = _times(activity)
    faces = [_face(people[pk]) for pk in entry.people] if len(people) > 1 else []
    if not entry.is_seen:
        busy = {"id": f"busy-{activity.pk}", "title": _("busy"), "status": "busy", "editable": False}
        return {**times, **busy, "faces": faces}
    return {
        **times,
        "id": f"activity-{activity.pk}",
        "title": activity.subject,
        "url": reverse("collab_calendar:activity_detail", args=[activity.pk]),
        "move": reverse("collab_calendar:activity_move", args=[activity.pk]) if entry.may_edit else "",
        "version": activity.version,
        **(_repeats(activity) if activity.series_id else {}),
        "kind": activity.kind,
        "kindLabel": activity.get_kind_display(),
        "status": entry.status,
        "isPrivate": activity.is_private,
        "place": activity.place,
        "editable": entry.may_edit,
        "faces": faces,
    }


def _repeats(activity: Activity) -> dict:
    """What is dropped somewhere opens the form at `time`, which asks how many of them are meant."""
    return {
        "repeats": activity.series.sentence,
        "time": reverse("collab_calendar:activity_time", args=[activity.pk]),
    }


def _times(activity: Activity) -> dict:
    starts, ends = activity.starts_at, activity.ends_at
    if activity.all_day:
        return {"allDay": True, "start": wall(starts)[:10], "end": wall(ends or starts)[:10]}
    shown = {"allDay": False, "start": wall(starts)}
    # In the hour that the clocks repeat an end can read earlier than its start.
    return {**shown, "end": wall(ends)} if ends and wall(ends) > shown["start"] else shown


def _face(person: User) -> dict:
    text = str(person)
    return {"name": text, "short": formats.initials(text), "colour": formats.colour_of(text)}


def _mark(mark: Mark, layer, people: dict[int, User]) -> dict:
    is_day = not isinstance(mark.at, datetime)
    faces = [_face(people[mark.person])] if len(people) > 1 and mark.person in people else []
    return {
        "id": mark.key, "title": mark.title, "url": mark.url, "allDay": is_day, "editable": False, "layer": layer.key,
        "start": mark.at.isoformat() if is_day else wall(mark.at), "status": f"due-{mark.tone}",
        "kindLabel": str(layer.label), "faces": faces,
    }  # fmt: skip


class MoveForm(forms.Form):
    """Where an activity was dropped. Without an end its length stays; `version` is what the mover saw."""

    starts_at = MomentField()
    ends_at = MomentField(required=False)
    version = forms.IntegerField(min_value=1, max_value=2**31 - 1)


@require_POST
def activity_move(request, pk: int):
    """Saves a drag; the answer says in words why it was refused, and the browser puts the activity back."""
    activity = get_visible(Activity, request.user, pk, "edit")
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _refused(next(iter(form.errors.values()))[0], 422)
    data = form.cleaned_data
    try:
        services.reschedule_activity(
            activity=activity, starts_at=data["starts_at"], ends_at=data["ends_at"], version=data["version"],
            by=request.user,
        )  # fmt: skip
    except EditConflict:
        return _refused(_("Somebody else has moved this meanwhile; the calendar shows where it is now."), 409)
    except services.ActivityClosed as closed:
        return _refused(closed.messages[0], 409)
    except ValidationError as error:
        return _refused(error.messages[0], 422)
    when = formats.exact(activity.starts_at)
    return JsonResponse({"version": activity.version, "message": _("Moved to %(when)s.") % {"when": when}})


def _refused(message: str, status: int) -> JsonResponse:
    return JsonResponse({"message": str(message)}, status=status)
