"""The team's calendar and the strip of free times: who is shown, what is told, what it costs."""

from datetime import date, datetime, time, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from collab.calendar.availability import availability, free_times
from collab.calendar.grants import grant_calendar
from collab.calendar.services import cancel_activity, plan_activity
from collab.calendar.team import team_of
from crm.people.absences import Absence
from crm.people.calendar import working_calendar
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db
DAY = date(2030, 3, 13)  # a Wednesday


def at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime.combine(day, time(hour, minute), timezone.get_current_timezone())


def meeting(by, start: int, end: int, subject="Meeting", day: date = DAY, **values):
    return plan_activity(
        kind="meeting",
        subject=subject,
        starts_at=at(start, day=day),
        ends_at=at(end, day=day),
        by=by,
        **values,
    )


def row_of(team, person):
    return next(row for row in team.rows if row.person == person)


def test_a_head_sees_his_team_and_plans_in_it(rep, teammate, head, outsider):
    meeting(rep, 9, 11, participants=[teammate])
    cancel_activity(activity=meeting(rep, 14, 15, "Off"), by=rep)
    team = team_of(head, "week", DAY)
    assert {row.person for row in team.rows} == {rep, teammate, head}
    cell = row_of(team, rep).cells[2]
    assert (cell.count, [one.activity.subject for one in cell.found]) == (1, ["Meeting"])
    assert row_of(team, teammate).cells[2].count == 1
    assert row_of(team, rep).may_plan
    assert not row_of(team_of(rep, "week", DAY), teammate).may_plan


def test_hours_reach_as_far_as_the_day_does(rep):
    meeting(rep, 6, 7, "Early")
    meeting(rep, 21, 22, "Late")
    columns = team_of(rep, "day", DAY).columns
    assert (columns[0].label, columns[-1].label) == ("06:00", "21:00")


def test_months_have_their_own_length_and_free_days(rep):
    Absence.objects.create(user=rep, first_day=date(2030, 5, 6), last_day=date(2030, 5, 7))
    start = at(22, day=date(2030, 5, 15))
    plan_activity(
        kind="meeting", subject="Night", starts_at=start, ends_at=start + timedelta(hours=5), by=rep
    )
    team = team_of(rep, "month", date(2030, 5, 15))
    assert [(one.count, one.minutes, one.load) for one in row_of(team, rep).cells[13:17]] == [
        (0, 0, 0), (1, 120, 1), (1, 180, 2), (0, 0, 0),
    ]  # fmt: skip
    assert (len(team.columns), team.previous, team.next) == (31, date(2030, 4, 1), date(2030, 6, 1))
    assert team.columns[0].free and team.columns[3].free == "–" and not team.columns[6].free
    assert [number for number, cell in enumerate(row_of(team, rep).cells, 1) if cell.is_away] == [6, 7]


@pytest.mark.parametrize("view", ["day", "week", "month", "nonsense"])
def test_the_page_tells_nothing_that_is_hidden(signed_in, rep, teammate, head, view):
    meeting(rep, 9, 10, "Salary talk", is_private=True)
    meeting(rep, 11, 12, "Open house")
    asked = {"view": view, "date": DAY.isoformat()}
    address = reverse("collab_calendar:team_calendar")
    for reader in (teammate, head):
        text = signed_in(reader).get(address, asked).content.decode()
        assert "Salary" not in text and str(rep) in text
    if view != "month":
        assert "Open house" in text and "busy" in text


def test_a_month_of_fifteen_people_costs_as_many_queries_as_one_of_three(
    signed_in, rep, head, django_assert_max_num_queries
):
    for number in range(12):
        person = make_user(f"seller{number}", department=rep.department, roles=rep.roles.all())
        for hour in range(9, 13):
            meeting(person, hour, hour + 1, day=DAY + timedelta(days=number))
    client = signed_in(head)
    asked = {"view": "month", "date": DAY.isoformat()}
    client.get(reverse("collab_calendar:team_calendar"), asked)
    with django_assert_max_num_queries(15):
        page = client.get(reverse("collab_calendar:team_calendar"), asked)
    assert page.content.decode().count('<th scope="row">') == 15


def test_who_is_busy_and_when_everybody_is_free(rep, teammate, head):
    meeting(rep, 9, 11)
    moved = meeting(teammate, 11, 13)
    meeting(head, 9, 17, is_private=True)
    found = availability(rep, [rep, teammate], at(10), timedelta(hours=1))
    assert found.clashes == [rep]
    assert [timezone.localtime(one).hour for one in found.free] == [13, 13, 14]
    found = availability(rep, [rep, teammate], at(11), timedelta(hours=1), without=moved.pk)
    assert found.clashes == [] and timezone.localtime(found.free[0]).hour == 11
    assert availability(rep, [head], at(10), timedelta(hours=1)).clashes == [head]


def test_of_strangers_nothing_is_told(rep, outsider):
    meeting(outsider, 9, 17)
    found = availability(rep, [rep, outsider], at(10), timedelta(hours=1))
    assert [line.is_known for line in found.lines] == [True, False]
    assert found.clashes == [] and not any(found.lines[1].slots)
    grant_calendar(owner=outsider, to=rep, level="busy", by=outsider)
    assert availability(rep, [rep, outsider], at(10), timedelta(hours=1)).clashes == [outsider]


def test_free_times_keep_to_working_hours(db):
    found = free_times([], timedelta(hours=2), at(16), working_calendar())
    assert [(timezone.localtime(one).date(), timezone.localtime(one).hour) for one in found] == [
        (date(2030, 3, 14), 9), (date(2030, 3, 14), 9), (date(2030, 3, 14), 10),
    ]  # fmt: skip


def test_the_strip_reads_the_form(signed_in, rep, teammate, outsider):
    activity = meeting(rep, 9, 11, "Secret subject", participants=[teammate])
    address = reverse("collab_calendar:free_busy")
    asked = {"starts_at": "2030-03-13T10:00", "minutes": "60", "colleagues": [teammate.pk]}
    text = signed_in(rep).get(address, asked, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in text and str(teammate) in text and "busy then" in text and "Secret" not in text
    moving = {"starts_at": "2030-03-13T10:00", "activity": activity.pk}
    assert "busy then" not in signed_in(rep).get(address, moving).content.decode()
    assert signed_in(outsider).get(address, moving).status_code == 404
    for wrong in (
        {"starts_at": "x"},
        {},
        {"starts_at": "2030-03-13T10:00", "minutes": "9" * 30, "owner": "-"},
    ):
        assert signed_in(rep).get(address, wrong).status_code == 200
