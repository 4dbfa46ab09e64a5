"""Local times as people type them, on ordinary days and on the two days when the clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.moments import MomentField, local_midnight, next_working_morning, same_reading
from collab.calendar.selectors import day_bounds, part_condition, part_of
from tests.factories.collab import make_activity

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture(autouse=True)
def in_warsaw():
    with timezone.override(WARSAW):
        yield


@pytest.mark.parametrize(
    ("typed", "utc"),
    [
        ("2026-11-24T09:00", datetime(2026, 11, 24, 8, tzinfo=UTC)),
        ("2026-07-01 09:00", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("24.11.2026 09:05", datetime(2026, 11, 24, 8, 5, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-03-29T03:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
    ],
)
def test_typed_time_is_the_reader_s(typed, utc):
    assert MomentField().clean(typed) == utc


SENSELESS = ["2026-03-29T02:30", "tomorrow", "9999-12-31T23:59", "0001-01-01T00:00", "2026-13-01T10:00"]


@pytest.mark.parametrize("typed", SENSELESS)
def test_skipped_and_senseless_times_are_refused(typed):
    with pytest.raises(ValidationError):
        MomentField().clean(typed)


def test_untouched_field_in_the_doubled_hour_does_not_move():
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert same_reading(second, MomentField().clean("2026-10-25T02:30"))
    assert not same_reading(second, MomentField().clean("2026-10-25T03:30"))


def test_days_have_their_true_length():
    for day, hours in (
        (datetime(2026, 10, 25, 12, tzinfo=WARSAW), 25),
        (datetime(2026, 3, 29, 12, tzinfo=WARSAW), 23),
    ):
        start, end = day_bounds(day)
        assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)
        assert (local_midnight(day), local_midnight(day, days=1)) == (start, end)


def test_next_working_morning_skips_the_weekend():
    friday = datetime(2026, 11, 27, 15, tzinfo=WARSAW)
    assert next_working_morning(friday) == datetime(2026, 11, 30, 9, tzinfo=WARSAW)


@pytest.mark.django_db
@time_machine.travel(datetime(2026, 11, 23, 10, 30, tzinfo=WARSAW), tick=False)
def test_parts_of_the_day_do_not_overlap_and_agree_with_the_query(rep):
    now = timezone.now()
    made = {
        "overdue": [
            make_activity(rep, hours=-1),
            make_activity(rep, hours=-2, ends_at=now - timedelta(hours=1)),
        ],
        "now": [make_activity(rep, hours=-1, ends_at=now + timedelta(hours=1))],
        "today": [
            make_activity(rep, hours=2),
            make_activity(rep, hours=-10.5, all_day=True),
            make_activity(rep, hours=13.25),
        ],
        "later": [make_activity(rep, hours=13.5), make_activity(rep, hours=50)],
    }
    for part, activities in made.items():
        assert set(Activity.objects.open().filter(part_condition(part, now))) == set(activities)
        assert {part_of(activity, now) for activity in activities} == {part}
