from datetime import datetime, timedelta

import pytest

from bpm.engine.durations import DurationError, moment_of, parse_cycle, parse_duration, parse_working

NOW = datetime.fromisoformat("2026-01-31T09:00:00+01:00")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("P2D", "2026-02-02T09:00:00+01:00"),
        ("PT4H30M", "2026-01-31T13:30:00+01:00"),
        ("P1M", "2026-02-28T09:00:00+01:00"),
        ("P1Y2M", "2027-03-31T09:00:00+01:00"),
        ("P2W", "2026-02-14T09:00:00+01:00"),
        ("PT1.5S", "2026-01-31T09:00:01.500000+01:00"),
        ("PT0S", "2026-01-31T09:00:00+01:00"),
        ("2026-12-01", "2026-12-01T00:00:00+01:00"),
        ("2026-12-01T10:00", "2026-12-01T10:00:00+01:00"),
        ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00+00:00"),
    ],
)
def test_moments(text, moment):
    assert moment_of(text, NOW).isoformat() == moment


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "1D", "-P1D", "P-1D", "P1H", "PT1D", "P101Y", "PT9999999999S" * 9, "P٢D", "tomorrow",
     "2026-13-01", "0 0 9 * * ?", "P1.5D"],
)  # fmt: skip
def test_what_is_no_time(text):
    with pytest.raises(DurationError):
        moment_of(text, NOW)


def test_a_moment_past_the_calendar_is_refused():
    with pytest.raises(DurationError, match="out of range"):
        moment_of("P99Y", datetime.fromisoformat("9980-01-01T00:00:00+00:00"))


def test_repetitions():
    assert parse_cycle("R3/PT1H").times == 3
    assert parse_cycle("R/P1D").times is None
    assert parse_cycle("R/P1M").every == parse_duration("P1M")


@pytest.mark.parametrize("text", ["R/PT0S", "R/PT59S", "R0/PT1H", "R1001/PT1H", "R3", "PT1H", "R3/tomorrow"])
def test_repetitions_refused(text):
    with pytest.raises(DurationError):
        parse_cycle(text)


def test_a_moment_that_is_far_too_long_is_no_moment():
    with pytest.raises(DurationError):
        moment_of("2026-12-01" + "0" * 200, NOW)


@pytest.mark.parametrize(
    ("text", "days", "rest"),
    [
        ("work P2D", 2, timedelta()), ("work PT36H", 0, timedelta(hours=36)),
        (" work  P1DT2H30M ", 1, timedelta(hours=2, minutes=30)),
    ],
)  # fmt: skip
def test_working_time(text, days, rest):
    found = parse_working(text)
    assert (found.days, found.rest) == (days, rest)
    assert moment_of(text, NOW) == NOW + timedelta(days=days) + rest


@pytest.mark.parametrize(
    "text", ["work", "work P", "work PT", "work P1M", "work P1W", "workP1D", "work P٢D", "work 2D"]
)
def test_what_is_no_working_time(text):
    with pytest.raises(DurationError, match="working time"):
        moment_of(text, NOW)


def test_the_calendar_counts_and_may_refuse():
    class Far:
        def later(self, start, days, rest):
            if days > 9:
                raise ValueError
            return start + timedelta(days=7 * days)

    assert moment_of("work P2D", NOW, Far()) == NOW + timedelta(days=14)
    with pytest.raises(DurationError, match="out of range"):
        moment_of("work P10D", NOW, Far())
