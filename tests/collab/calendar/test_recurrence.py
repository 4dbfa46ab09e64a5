"""Rules of repetition: what is read and refused, when it happens, and how it reads; against a second opinion."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import recurring_ical_events
from django.core.exceptions import ValidationError
from django.utils.translation import override
from icalendar import Calendar, Event, vRecur

from collab.calendar.local_time import moment_of
from collab.calendar.recurrence import Rule, check_span, read_rule
from collab.calendar.rule_words import in_words

ZONES = (
    "Europe/Warsaw",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
)
# The clocks of some of these zones skip or repeat these hours.
HOURS = (time(0, 0), time(1, 30), time(2, 0), time(2, 30), time(3, 0), time(9, 0), time(23, 45))


def _rule(dice: random.Random, start: datetime) -> Rule:
    kind = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "NTH", "YEARLY"])
    interval = dice.choice([1, 1, 1, 2, 3, 5])
    ends = dice.choice(["never", "count", "until"])
    end = {"count": dice.randint(1, 40)} if ends == "count" else {}
    if ends == "until":
        end = {"until": start.date() + timedelta(days=dice.randint(0, 700))}
    if kind == "WEEKLY":
        return Rule(kind, interval, weekdays=tuple(sorted(dice.sample(range(7), dice.randint(1, 4)))), **end)
    if kind == "MONTHLY":
        return Rule(kind, interval, month_days=(dice.choice([1, 15, 28, 29, 30, 31, -1]),), **end)
    if kind == "NTH":
        nth = tuple(sorted({(dice.choice([1, 2, 3, 4, 5, -1]), dice.randrange(7)) for _ in range(2)}))
        return Rule("MONTHLY", interval, nth=nth, **end)
    return Rule(kind, interval, **end)


def _second_opinion(rule: Rule, start: datetime, zone: ZoneInfo, last: datetime) -> list[datetime]:
    text = str(rule.without_end() if rule.until else rule)
    if rule.until:
        text += f";UNTIL={moment_of(datetime.combine(rule.until, time(23, 59, 59)), zone):%Y%m%dT%H%M%SZ}"
    event = Event()
    event.add("UID", "one")
    event.add("DTSTART", start.replace(tzinfo=zone))
    event.add("DURATION", timedelta(minutes=30))
    event.add("RRULE", vRecur.from_ical(text))
    calendar = Calendar()
    calendar.add_component(event)
    found = recurring_ical_events.of(calendar).between(start.replace(tzinfo=zone), last.replace(tzinfo=zone))
    return sorted(one.start.astimezone(UTC) for one in found)


@pytest.mark.parametrize("zone", ZONES)
def test_a_second_opinion_gives_the_same_moments(zone):
    dice, where = random.Random(zone), ZoneInfo(zone)
    for number in range(100):
        day = date(2026, 1, 1) + timedelta(days=dice.randrange(800))
        wish = datetime.combine(day, dice.choice(HOURS))
        rule = _rule(dice, wish)
        start = rule.first_from(wish)
        assert read_rule(str(rule)) == rule
        last = start + timedelta(days=450)
        ours = [moment_of(at, where) for at in rule.times_until(start, last - timedelta(seconds=1))]
        assert ours == _second_opinion(rule, start, where, last), f"{number}: {rule} from {start}"


def test_the_wall_clock_stays_over_the_change_of_the_clocks():
    zone = ZoneInfo("Europe/Warsaw")
    times = Rule("DAILY").times_until(datetime(2026, 3, 28, 2, 30), datetime(2026, 3, 30, 3))
    assert [moment_of(at, zone).strftime("%d %H:%M") for at in times] == ["28 01:30", "29 01:30", "30 00:30"]
    # In the gap as if the offset before it held: 02:30 is 03:30; of the doubled hour the first is meant.
    assert moment_of(datetime(2026, 3, 29, 2, 30), zone).astimezone(zone).hour == 3
    assert moment_of(datetime(2026, 10, 25, 2, 30), zone) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_days_that_do_not_exist_are_passed_over():
    leap = Rule("YEARLY").times_until(datetime(2024, 2, 29, 9), datetime(2034, 1, 1))
    assert [at.year for at in leap] == [2024, 2028, 2032]
    long_months = Rule("MONTHLY", month_days=(31,)).times_until(
        datetime(2026, 1, 31, 9), datetime(2026, 8, 1)
    )
    assert [at.month for at in long_months] == [1, 3, 5, 7]


def test_a_series_begins_at_the_first_time_that_fits():
    friday = datetime(2026, 11, 27, 9)
    assert Rule("WEEKLY", 2, weekdays=(0,)).first_from(friday) == datetime(2026, 11, 30, 9)
    assert Rule("MONTHLY", nth=((-1, 4),)).first_from(friday) == friday
    assert Rule("MONTHLY", month_days=(-1,)).first_from(friday) == datetime(2026, 11, 30, 9)


@pytest.mark.parametrize(
    "text",
    [
        "", "FREQ", "FREQ=SECONDLY", "FREQ=HOURLY;COUNT=2", "FREQ=DAILY;COUNT=1000000000", "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=99999999999999999999", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-3", "INTERVAL=1",
        "FREQ=DAILY;INTERVAL=1000", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=DAILY;UNTIL=20271301",
        "FREQ=DAILY;UNTIL=20270101T000000Z", "FREQ=YEARLY;BYMONTH=3", "FREQ=DAILY;BYHOUR=1,2", "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=2MO", "FREQ=MONTHLY;BYDAY=MO", "FREQ=MONTHLY;BYDAY=6MO", "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYMONTHDAY=-7", "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=3", "FREQ=DAILY;BYDAY=MO",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=MONTHLY;BYMONTHDAY=" + "1," * 300 + "1",
    ],
)  # fmt: skip
def test_what_no_sentence_says_is_refused_with_one(text):
    with pytest.raises(ValidationError) as refused:
        read_rule(text)
    assert refused.value.messages[0].endswith((".", "?"))


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        (Rule("DAILY"), datetime(1980, 1, 1, 9)),
        (Rule("DAILY"), datetime(2090, 1, 1, 9)),
        (Rule("DAILY", until=date(2100, 1, 1)), datetime(2026, 11, 27, 9)),
        (Rule("DAILY", until=date(2026, 11, 26)), datetime(2026, 11, 27, 9)),
    ],
)
def test_a_series_neither_begins_nor_ends_far_away(rule, start):
    with pytest.raises(ValidationError):
        check_span(rule, start, date(2026, 11, 27))


@pytest.mark.parametrize(
    ("rule", "english", "polish"),
    [
        (Rule("DAILY"), "every day", "codziennie"),
        (Rule("DAILY", 3, count=2), "every 3 days, 2 times", "co 3 dni, 2 razy"),
        (Rule("WEEKLY", weekdays=(0, 1, 2, 3, 4)), "every working day", "w każdy dzień roboczy"),
        (Rule("WEEKLY", weekdays=(0, 2)), "every week on Monday and Wednesday", "co tydzień: poniedziałek i środa"),
        (Rule("WEEKLY", 2, weekdays=(4,)), "every 2 weeks on Friday", "co 2 tygodnie: piątek"),
        (Rule("WEEKLY", 5, weekdays=(4,), count=5), "every 5 weeks on Friday, 5 times", "co 5 tygodni: piątek, 5 razy"),
        (Rule("MONTHLY", month_days=(31,)), "every month on day 31", "co miesiąc: dzień 31."),
        (Rule("MONTHLY", nth=((3, 2),)), "every month on the 3rd Wednesday", "co miesiąc: 3. środa miesiąca"),
        (Rule("MONTHLY", nth=((-1, 4),)), "every month on the last Friday", "co miesiąc: ostatni piątek miesiąca"),
        (Rule("MONTHLY", month_days=(-1,)), "every month on the last day", "co miesiąc: ostatni dzień"),
        (Rule("YEARLY", until=date(2030, 5, 1)), "every year on 29 February (in leap years), until 01/05/2030",
         "co rok: 29 lutego (w latach przestępnych), do 01-05-2030"),
    ],
)  # fmt: skip
def test_a_rule_reads_as_a_sentence(rule, english, polish):
    start = datetime(2028, 2, 29, 9)
    assert in_words(rule, start) == english
    with override("pl"):
        assert in_words(rule, start) == polish
