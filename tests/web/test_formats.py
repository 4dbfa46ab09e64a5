"""Dates as people say them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone, translation

from crm.web import formats

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 23, 14, 0, tzinfo=WARSAW)


@pytest.mark.parametrize(
    ("gap", "words"),
    [
        (timedelta(seconds=-20), "just now"),
        (timedelta(minutes=-5), "5 min ago"),
        (timedelta(minutes=25), "in 25 min"),
        (timedelta(hours=-3), "3 h ago"),
        (timedelta(hours=-8), "today\u00a006:00"),
        (timedelta(hours=3), "today\u00a017:00"),
        (timedelta(days=1), "tomorrow\u00a014:00"),
        (timedelta(days=-1), "yesterday\u00a014:00"),
        (timedelta(days=-2), "2 days ago"),
        (timedelta(days=6), "in 6 days"),
        (timedelta(days=-30), "24 Oct"),
        (timedelta(days=-400), "19 Oct 2025"),
    ],
)
def test_moments_are_relative_and_unmistakable(gap, words):
    with timezone.override(WARSAW), translation.override("en"):
        assert formats.relative(NOW + gap, now=NOW) == words


def test_days_have_no_clock():
    with timezone.override(WARSAW), translation.override("en"):
        assert formats.relative(date(2026, 11, 23), now=NOW) == "today"
        assert formats.relative(date(2026, 11, 20), now=NOW) == "3 days ago"


def test_a_moment_just_after_midnight_belongs_to_the_readers_day():
    late = datetime(2026, 11, 22, 23, 30, tzinfo=ZoneInfo("UTC"))
    with timezone.override(WARSAW), translation.override("en"):
        assert formats.relative(late, now=NOW) == "today\u00a000:30"


@time_machine.travel(NOW, tick=False)
def test_due_marks_what_is_past():
    late, soon = date(2026, 11, 22), date(2026, 11, 24)
    shown = Template("{% load web %}{{ late|due }}|{{ soon|due }}|{{ none|due }}").render(
        Context({"late": late, "soon": soon, "none": None})
    )
    first, second, third = shown.split("|")
    assert ('class="due"' in first, 'class="due"' in second, third) == (True, False, "")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Anna Nowak", "AN"), ("Łukasz", "Ł"), ("Ewa Bąk-Żak", "EŻ"), ("", "?"), ("  (x) Jan", "J")],
)
def test_initials(name, letters):
    assert formats.initials(name) == letters


def test_a_person_keeps_his_colour():
    assert formats.colour_of("Anna Nowak") == formats.colour_of("Anna Nowak")
    assert {formats.colour_of(f"Person {n}") for n in range(200)} == set(range(formats.COLOURS))
