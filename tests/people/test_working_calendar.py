"""Working time: weekends, holidays, special days, breaks, clock changes, and the two functions against each other."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from crm.people.calendar import (
    STANDARD_WEEK,
    CalendarDay,
    WorkingCalendar,
    WorkingSpan,
    add_working_days,
    add_working_time,
    public_holidays,
    working_calendar,
    working_time_between,
)

WARSAW = ZoneInfo("Europe/Warsaw")
PLAIN = WorkingCalendar(STANDARD_WEEK, "PL", WARSAW)
BREAK = WorkingCalendar({0: [(time(8), time(12)), (time(13), time(0))], 6: [(time(22), time(0))]}, "", WARSAW)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW)


@pytest.mark.parametrize(
    ("start", "hours", "expected"),
    [
        ("2026-11-23 10:00", 4, "2026-11-23 14:00"),
        ("2026-11-23 15:00", 4, "2026-11-24 11:00"),
        ("2026-11-27 16:30", 1, "2026-11-30 09:30"),  # over a weekend
        ("2026-11-10 16:00", 2, "2026-11-12 10:00"),  # 11 November is a holiday
        ("2026-11-21 12:00", 0, "2026-11-23 09:00"),  # a Saturday: the next opening
        ("2026-11-23 17:00", 8, "2026-11-24 17:00"),
    ],
)
def test_working_time_is_added(start, hours, expected):
    assert add_working_time(at(start), timedelta(hours=hours), PLAIN) == at(expected)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-11-23 08:00", "2026-11-23 18:00", 8),
        ("2026-11-27 16:00", "2026-11-30 10:00", 2),
        ("2026-11-21 10:00", "2026-11-22 10:00", 0),
        ("2026-11-23 12:00", "2026-11-23 11:00", 0),
        ("2026-12-24 09:00", "2026-12-28 10:00", 1),
    ],
)
def test_working_time_between_two_moments(start, end, hours):
    assert working_time_between(at(start), at(end), PLAIN) == timedelta(hours=hours)


def test_breaks_midnight_and_the_hour_that_is_lost_in_spring():
    assert working_time_between(at("2026-11-23 11:00"), at("2026-11-23 14:00"), BREAK) == timedelta(hours=2)
    assert add_working_time(at("2026-11-23 23:00"), timedelta(hours=2), BREAK) == at("2026-11-29 23:00")
    night = WorkingCalendar({6: [(time(1), time(5))]}, "", WARSAW)
    assert working_time_between(at("2026-03-29 00:00"), at("2026-03-30 00:00"), night) == timedelta(hours=3)


def test_time_is_not_taken_away_and_never_sought_for_ever():
    with pytest.raises(ValueError, match="not taken away"):
        add_working_time(at("2026-11-23 10:00"), timedelta(hours=-1), PLAIN)
    with pytest.raises(ValueError, match="within ten years"):
        add_working_time(at("2026-11-23 10:00"), timedelta(hours=100_000), PLAIN)


moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))


@given(moments, st.integers(0, 60 * 200), st.sampled_from([PLAIN, BREAK]))
def test_what_was_added_lies_between(start, minutes, calendar):
    amount = timedelta(minutes=minutes)
    end = add_working_time(start, amount, calendar)
    assert end >= start
    assert working_time_between(start, end, calendar) == amount


@given(moments, moments, moments, st.sampled_from([PLAIN, BREAK]))
def test_working_time_adds_up(one, two, three, calendar):
    first, middle, last = sorted([one, two, three])
    parts = working_time_between(first, middle, calendar) + working_time_between(middle, last, calendar)
    assert parts == working_time_between(first, last, calendar)


def test_holidays_of_countries():
    assert public_holidays("PL", 2026)[date(2026, 6, 4)]
    assert date(2026, 10, 3) in public_holidays("DE", 2026)
    assert public_holidays("XX", 2026) == {}


@pytest.mark.django_db
def test_the_company_changes_its_hours_and_days():
    assert working_calendar().week == STANDARD_WEEK
    WorkingSpan.objects.create(weekday=0, starts=time(7), ends=time(15))
    CalendarDay.objects.create(date=date(2026, 11, 23), is_working=False, name="Stocktaking")
    CalendarDay.objects.create(date=date(2026, 11, 28), is_working=True, name="Open day")
    calendar = working_calendar()
    assert calendar.hours_on(date(2026, 11, 23)) == []
    assert calendar.hours_on(date(2026, 11, 24)) == []
    assert calendar.hours_on(date(2026, 11, 28)) == [(time(7), time(15))]
    assert calendar.is_working(at("2026-11-30 14:59"))
    assert not calendar.is_working(at("2026-11-30 15:00"))


@pytest.mark.django_db
def test_a_span_does_not_end_before_it_starts():
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkingSpan.objects.create(weekday=0, starts=time(15), ends=time(7))


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2026-11-26 15:00", 2, "2026-11-30 15:00"),  # Thursday, over a weekend
        ("2026-11-10 15:00", 1, "2026-11-12 15:00"),  # over a holiday
        ("2026-11-28 12:00", 2, "2026-12-02 09:00"),  # a Saturday counts from Monday's opening
        ("2026-11-23 20:00", 1, "2026-11-25 09:00"),  # so does an evening from the next morning
        ("2026-11-23 10:00", 0, "2026-11-23 10:00"),
        ("2026-10-23 10:00", 1, "2026-10-26 10:00"),  # over the end of summer time
    ],
)
def test_working_days_are_added(start, days, expected):
    assert add_working_days(at(start), days, PLAIN) == at(expected)


def test_a_day_that_closes_earlier_ends_the_wait_and_special_days_count():
    short = WorkingCalendar({0: [(time(9), time(17))], 1: [(time(10), time(13))]}, "", WARSAW)
    assert add_working_days(at("2026-11-23 15:00"), 1, short) == at("2026-11-24 13:00")
    assert add_working_days(at("2026-11-23 09:30"), 1, short) == at("2026-11-24 10:00")
    free = WorkingCalendar(STANDARD_WEEK, "PL", WARSAW, {date(2026, 11, 24): False, date(2026, 11, 28): True})
    assert add_working_days(at("2026-11-23 15:00"), 1, free) == at("2026-11-25 15:00")
    assert add_working_days(at("2026-11-27 15:00"), 1, free) == at("2026-11-28 15:00")


def test_working_days_that_cannot_be_added():
    with pytest.raises(ValueError, match="not taken away"):
        add_working_days(at("2026-11-23 10:00"), -1, PLAIN)
    with pytest.raises(ValueError, match="ten years"):
        add_working_days(at("2026-11-23 10:00"), 9999, PLAIN)
