"""What lies behind a calendar: the company's working hours, holidays, special days, and who is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import CharField, IntegerField, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.people.absences import Absence
from crm.people.calendar import MIDNIGHT, Hours, public_holidays, working_calendar
from crm.people.company import company
from crm.people.models import CalendarDay, User
from crm.people.names import localised


def opening_hours() -> list[dict]:
    """The working hours of a usual week as the reader's clock shows them, as the browser's calendar takes them."""
    calendar = working_calendar()
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday())
    found = []
    for weekday, hours in sorted(calendar.week.items()):
        day = monday + timedelta(days=weekday)
        for starts, ends in _spans(day, hours, calendar.zone):
            starts, ends = timezone.localtime(starts), timezone.localtime(ends)
            is_next = ends.date() > starts.date()
            number = (starts.date().weekday() + 1) % 7
            until = "24:00" if is_next else f"{ends:%H:%M}"
            found.append({"daysOfWeek": [number], "startTime": f"{starts:%H:%M}", "endTime": until})
            if is_next and f"{ends:%H:%M}" != "00:00":
                found.append(
                    {"daysOfWeek": [(number + 1) % 7], "startTime": "00:00", "endTime": f"{ends:%H:%M}"}
                )
    return found


def _spans(day: date, hours: Hours, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The hours of a usual day as moments, holiday or not."""
    for starts, ends in hours:
        last = day + timedelta(days=1) if ends == MIDNIGHT else day
        yield datetime.combine(day, starts, zone), datetime.combine(last, ends, zone)


def background_of(people: dict[int, User], first: date, last: date) -> list[dict]:
    """Free days of the company and absences of these people from `first` to before `last`. One query."""
    days = CalendarDay.objects.filter(date__gte=first, date__lt=last).order_by()
    away = Absence.objects.filter(
        user_id__in=list(people), first_day__lt=last, last_day__gte=first
    ).order_by()
    text, special, found = CharField(), {}, []
    rows = days.values_list(
        "pk", "date", "date", Cast("is_working", IntegerField()), Cast("name", text), Cast("name_pl", text)
    ).union(
        away.values_list("pk", "first_day", "last_day", "user_id", Value("", text), Value("away", text)),
        all=True,
    )
    for pk, begins, ends, number, name, name_pl in rows:
        if name_pl == "away" and not name:
            found.append(_absence(pk, begins, ends, people[number], is_alone=len(people) == 1))
        else:
            special[begins] = "" if number else localised(name, name_pl)
    return [*_free_days(first, last, special), *found]


def _free_days(first: date, last: date, special: dict[date, str]) -> Iterator[dict]:
    """Holidays and the company's own free days; `special` names those, empty for one on which it works."""
    country = company().country
    for number in range((last - first).days):
        day = first + timedelta(days=number)
        if name := special.get(day, public_holidays(country, day.year).get(day)):
            yield _behind(f"free-{day}", day, day + timedelta(days=1), name, "free")


def _absence(pk: int, first: date, last: date, who: User, *, is_alone: bool) -> dict:
    text = _("Away") if is_alone else _("%(who)s is away") % {"who": who}
    return _behind(f"away-{pk}", first, last + timedelta(days=1), text, "away") | {"who": who.pk}


def _behind(key: str, first: date, last: date, title: str, status: str) -> dict:
    return {
        "id": key, "start": first.isoformat(), "end": last.isoformat(), "allDay": True, "title": title,
        "display": "background", "status": status, "editable": False,
    }  # fmt: skip
