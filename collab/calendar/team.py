"""A team's time as a table: people × the hours of a day, or people × the days of a week or a month."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone
from django.utils.formats import date_format

from collab.calendar.backgrounds import background_of
from collab.calendar.grants import granting
from collab.calendar.schedule import Entry, Taken, entries, people_shown, spans
from collab.calendar.services import roles_plan_for
from crm.people.models import Department, User

MOST_PEOPLE = 40
FIRST_HOUR, LAST_HOUR = 8, 18
SHOWN = 4
MINUTE = timedelta(minutes=1)


@dataclass
class Column:
    """An hour or a day. `free`: the name of a day on which nobody works, "–" for a weekend."""

    start: datetime
    end: datetime
    label: str
    free: str = ""
    is_now: bool = False


@dataclass
class Cell:
    """What one person has in one column. `minutes`: how much of it is taken."""

    start: datetime
    found: list[Entry] = field(default_factory=list)
    count: int = 0
    minutes: int = 0
    is_free: bool = False
    is_away: bool = False

    @property
    def more(self) -> int:
        return self.count - len(self.found)

    @property
    def load(self) -> int:
        """0 nothing, 1 up to two hours, 2 up to five, 3 more: a shade beside the number."""
        return 0 if not self.minutes else 1 if self.minutes <= 120 else 2 if self.minutes <= 300 else 3


@dataclass
class Row:
    person: User
    may_plan: bool
    cells: list[Cell]


@dataclass
class Team:
    view: str
    first: date
    last: date
    columns: list[Column]
    rows: list[Row]
    departments: list[Department]
    department: Department | None
    has_more: bool

    @property
    def previous(self) -> date:
        return _shifted(self.view, self.first, -1)

    @property
    def next(self) -> date:
        return _shifted(self.view, self.first, 1)


def team_of(user, view: str, day: date, department: str = "") -> Team:
    """The people of a department whom the reader sees, and their time. Five queries whatever their number."""
    everybody = list(people_shown(user))
    departments = sorted({one.department for one in everybody if one.department}, key=str)
    wanted = department or str(user.department_id or "")
    chosen = next((one for one in departments if str(one.pk) == wanted), None)
    people = [one for one in everybody if chosen is None or one.department_id == chosen.pk]
    first, last = _span(view, day)
    start, end = _midnight(first), _midnight(last)
    shown = {one.pk: one for one in people[:MOST_PEOPLE]}
    behind = background_of(shown, first, last)
    found = [] if view == "month" else entries(user, shown, start, end)
    columns = _hours(found, first) if view == "day" else _days(first, last, behind)
    let_in = set(granting(user, "assign").values_list("owner_id", flat=True))
    rows = {
        pk: Row(one, pk in let_in or roles_plan_for(user, one), _empty(columns, behind, pk))
        for pk, one in shown.items()
    }
    if view == "month":
        edges = [column.start.astimezone(UTC) for column in columns] + [end.astimezone(UTC)]
        for taken in spans(user, shown, start, end):
            _count(rows, edges, taken)
    for entry in found:
        if entry.activity.cancelled_at is None:
            for pk in entry.people:
                _place(rows[pk].cells, columns, entry)
    return Team(
        view, first, last, columns, list(rows.values()), departments, chosen, len(people) > MOST_PEOPLE
    )


def _span(view: str, day: date) -> tuple[date, date]:
    if view == "day":
        return day, day + timedelta(days=1)
    if view == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=7)
    first = day.replace(day=1)
    return first, (first + timedelta(days=32)).replace(day=1)


def _shifted(view: str, first: date, step: int) -> date:
    if view == "month":
        return (first + timedelta(days=32 if step > 0 else -1)).replace(day=1)
    return first + timedelta(days=step * (7 if view == "week" else 1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_current_timezone())


def _hours(found: Iterable[Entry], day: date) -> list[Column]:
    """The usual hours of a working day, and as many before and after as something stands in."""
    earliest, latest = FIRST_HOUR, LAST_HOUR
    start, end = _midnight(day), _midnight(day + timedelta(days=1))
    for entry in found:
        if entry.activity.all_day or entry.activity.cancelled_at:
            continue
        earliest = min(earliest, timezone.localtime(max(entry.activity.starts_at, start)).hour)
        ends = timezone.localtime(min(entry.ends_at, end) - timedelta(seconds=1))
        latest = max(latest, min(ends.hour + 1, 24))
    zone, now = timezone.get_current_timezone(), timezone.now()
    columns = []
    for hour in range(earliest, latest):
        begins = datetime.combine(day, time(hour), zone)
        ends = end if hour == 23 else datetime.combine(day, time(hour + 1), zone)
        columns.append(Column(begins, ends, f"{hour:02}:00", is_now=begins <= now < ends))
    return columns


def _days(first: date, last: date, behind: list[dict]) -> list[Column]:
    free = {one["start"]: one["title"] for one in behind if one["status"] == "free"}
    today, columns = timezone.localdate(), []
    for number in range((last - first).days):
        day = first + timedelta(days=number)
        name = free.get(day.isoformat(), "–" if day.weekday() > 4 else "")
        label = date_format(day, "D j")
        columns.append(Column(_midnight(day), _midnight(day + timedelta(days=1)), label, name, day == today))
    return columns


def _empty(columns: list[Column], behind: list[dict], pk: int) -> list[Cell]:
    away = [(one["start"], one["end"]) for one in behind if one.get("who") == pk]
    cells = []
    for column in columns:
        day = timezone.localtime(column.start).date().isoformat()
        is_away = any(first <= day < last for first, last in away)
        cells.append(Cell(column.start, is_free=bool(column.free), is_away=is_away))
    return cells


def _place(cells: list[Cell], columns: list[Column], entry: Entry) -> None:
    starts, ends = entry.activity.starts_at, entry.ends_at
    for column, cell in zip(columns, cells, strict=True):
        if starts < column.end and (ends > column.start or starts >= column.start):
            cell.count += 1
            if len(cell.found) < SHOWN:
                cell.found.append(entry)


def _count(rows: dict[int, Row], edges: list[datetime], taken: Taken) -> None:
    """A month's days, which lie between `edges`, are only counted: how many things, and how long they take."""
    starts, ends = taken.starts_at, taken.ends_at
    day = max(bisect_right(edges, starts) - 1, 0)
    while day < len(edges) - 1 and (edges[day] < ends or edges[day] <= starts):
        minutes = 0 if taken.all_day else (min(ends, edges[day + 1]) - max(starts, edges[day])) // MINUTE
        for pk in taken.people:
            cell = rows[pk].cells[day]
            cell.count += 1
            cell.minutes += minutes
        day += 1
