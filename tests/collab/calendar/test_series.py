"""What repeats: its occurrences, changing this, this and following or all of them, deleting, undoing, topping up."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from collab.calendar import occurrences
from collab.calendar.models import Activity, Reminder, Resource, Series
from collab.calendar.recurrence import Rule, read_rule
from collab.calendar.resources import ResourceTaken, book
from collab.calendar.selectors import next_activities
from collab.calendar.series_services import Scope, edit_series, end_series
from collab.calendar.services import complete_activity, edit_activity, plan_activity, reschedule_activity
from crm.history.bin import restore_record
from crm.history.cards import card_history
from crm.history.editing import EditConflict
from crm.history.models import Deletion, Event
from crm.history.undoing import undo_event
from leads.models import LeadStatus
from tests.factories.collab import WARSAW, make_series, monday
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
WEEKLY = "FREQ=WEEKLY;BYDAY=MO"


def standing(series: Series) -> list[Activity]:
    return list(Activity.objects.filter(series=series, deleted_at=None).order_by("starts_at"))


def clocks(rows) -> set[str]:
    return {f"{row.starts_at.astimezone(WARSAW):%a %H:%M}" for row in rows}


def change(activity: Activity, scope: str, by, rule=None, **values) -> Activity:
    activity.refresh_from_db()
    return edit_series(
        activity=activity, scope=scope, values=values, version=activity.version, by=by,
        rule=read_rule(rule) if rule else None,
    )  # fmt: skip


def test_a_year_of_occurrences_stands_with_people_and_reminders(rep, teammate):
    lead = make_lead(rep)
    first = make_series(rep, lead=lead, participants=[teammate], remind_before=[30])
    rows = standing(first.series)
    assert 55 <= len(rows) <= 58 and rows[0] == first
    assert clocks(rows) == {"Mon 09:00"}
    assert {row.ends_at - row.starts_at for row in rows} == {timedelta(hours=1)}
    assert {row.lead_id for row in rows} == {lead.pk}
    assert {row.participants.get().user for row in rows} == {teammate}
    minutes = Reminder.objects.filter(activity=rows[-1]).values_list("user_id", "minutes_before")
    assert sorted(minutes) == sorted([(rep.pk, 30), (teammate.pk, 15)])
    lead.refresh_from_db()
    assert lead.status == LeadStatus.IN_WORK
    assert next_activities("leads.lead", [lead.pk])[lead.pk] == first
    latest = card_history(user=rep, record=lead, group="meeting").lines[0]
    assert latest.sentence == "lets it repeat: every week on Monday"


def test_topping_up_makes_each_occurrence_once(rep, run_jobs):
    series = make_series(rep).series
    before, later = len(standing(series)), timezone.now() + timedelta(days=70)
    assert list(occurrences.to_fill(timezone.now())) == []
    assert list(occurrences.to_fill(later)) == [series]
    stale = Series.objects.get(pk=series.pk)
    assert len(occurrences.fill(series, later)) == 10
    assert occurrences.fill(stale, later) == []
    assert len(standing(series)) == before + 10
    ended = make_series(rep, WEEKLY + ";COUNT=3").series
    assert len(standing(ended)) == 3 and ended not in occurrences.to_fill(
        timezone.now() + timedelta(days=9999)
    )


def test_nothing_is_made_for_whoever_left_or_on_a_deleted_card(rep, head):
    lead = make_lead(rep)
    series, later = make_series(rep, lead=lead).series, timezone.now() + timedelta(days=70)
    lead.deleted_at = timezone.now()
    lead.save()
    assert list(occurrences.to_fill(later)) == []
    other = make_series(head).series
    head.is_active = False
    head.save()
    assert list(occurrences.to_fill(later)) == []
    assert {series.filled_until, other.filled_until} < {
        occurrences.FOREVER,
        series.filled_until,
        other.filled_until,
    }


def test_what_happens_rarely_has_its_next_one(rep):
    start = datetime(2028, 2, 29, 9, tzinfo=WARSAW)
    leap = standing(make_series(rep, "FREQ=YEARLY", start).series)
    assert [row.starts_at.year for row in leap] == [2028]
    daily = standing(make_series(rep, "FREQ=DAILY").series)
    assert 380 <= len(daily) <= 401


def test_a_zone_that_is_gone_gives_way_to_the_companys(rep):
    series = make_series(rep).series
    series.time_zone = "Europe/Atlantis"
    assert series.is_zone_lost and series.zone.key == "Europe/Warsaw"


def test_one_changed_alone_keeps_what_it_was_given(rep):
    rows = standing(make_series(rep).series)
    reschedule_activity(activity=rows[1], starts_at=rows[1].starts_at + timedelta(hours=3), by=rep)
    complete_activity(activity=rows[0], result="Held", by=rep)
    change(rows[2], Scope.ALL, rep, subject="Weekly", starts_at=monday(10) + timedelta(days=14),
           ends_at=monday(11) + timedelta(days=14))  # fmt: skip
    rows = standing(rows[0].series)
    assert [row.subject for row in rows[:4]] == ["Stand-up", "Stand-up", "Weekly", "Weekly"]
    assert [f"{row.starts_at.astimezone(WARSAW):%H:%M}" for row in rows[:4]] == [
        "09:00",
        "12:00",
        "10:00",
        "10:00",
    ]
    assert clocks(rows[2:]) == {"Mon 10:00"}
    due = Reminder.objects.get(activity=rows[5], user=rep).due_at
    assert rows[5].starts_at - due == timedelta(minutes=15)
    # Topping up fills after the last one, at the new time.
    series = rows[0].series
    made = occurrences.fill(series, timezone.now() + timedelta(days=60))
    assert clocks(made) == {"Mon 10:00"} and {row.subject for row in made} == {"Weekly"}


def test_moving_this_and_following_cuts_the_series(rep):
    rows = standing(make_series(rep).series)
    to = rows[3].starts_at + timedelta(days=1, hours=2)
    change(rows[3], Scope.FOLLOWING, rep, starts_at=to, ends_at=to + timedelta(minutes=30))
    old, new = Series.objects.order_by("pk")
    assert (new.follows, len(standing(old))) == (old, 3)
    assert clocks(standing(old)) == {"Mon 09:00"} and clocks(standing(new)) == {"Tue 11:00"}
    assert read_rule(new.rule) == Rule("WEEKLY", weekdays=(1,))
    assert old not in occurrences.to_fill(timezone.now() + timedelta(days=500))
    assert [row.pk for row in standing(new)][: len(rows) - 3] == [row.pk for row in rows[3:]]


def test_another_day_for_all_leaves_what_has_passed(rep):
    rows = standing(make_series(rep, starts_at=monday() - timedelta(days=28)).series)
    coming = next(row for row in rows if row.starts_at > timezone.now())
    to = coming.starts_at + timedelta(days=2)
    change(coming, Scope.ALL, rep, starts_at=to, ends_at=to + timedelta(hours=1))
    now = timezone.now()
    rows = Activity.objects.filter(deleted_at=None)
    assert clocks(rows.filter(starts_at__lt=now)) == {"Mon 09:00"}
    assert clocks(rows.filter(starts_at__gte=now)) == {"Wed 09:00"}


def test_another_rule_takes_over_what_stands(rep):
    rows = standing(make_series(rep, "FREQ=WEEKLY;BYDAY=MO;COUNT=10").series)
    complete_activity(activity=rows[0], result="Held", by=rep)
    pivot = change(rows[4], Scope.FOLLOWING, rep, rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;COUNT=4")
    assert [f"{row.starts_at.astimezone(WARSAW):%a}" for row in standing(pivot.series)] == [
        "Mon",
        "Thu",
        "Mon",
        "Thu",
    ]
    assert Activity.objects.filter(deleted_at=None).count() == 8
    event = Event.objects.filter(kind="meeting_series_edited", changes__field="rule").get()
    undo_event(event=event, by=rep)
    pivot.refresh_from_db()
    assert len(standing(pivot.series)) == 6 and clocks(standing(pivot.series)) == {"Mon 09:00"}


def test_changing_all_is_undone_for_all(rep):
    lead = make_lead(rep)
    rows = standing(make_series(rep, lead=lead).series)
    change(rows[5], Scope.ALL, rep, subject="Weekly", starts_at=rows[5].starts_at + timedelta(hours=1),
           ends_at=rows[5].ends_at + timedelta(hours=1))  # fmt: skip
    line = card_history(user=rep, record=lead, group="meeting").lines[0]
    assert line.sentence == "changed repeating meetings"
    event = Event.objects.filter(links__kind="leads.lead", kind="meeting_series_edited").get()
    plan = undo_event(event=event, by=rep)
    rows = standing(rows[0].series)
    assert (
        plan.skipped == [] and {row.subject for row in rows} == {"Stand-up"} and clocks(rows) == {"Mon 09:00"}
    )


def test_all_and_this_at_once(rep, head):
    """Whoever saves second hears of the first where both changed the same; what was changed alone stays alone."""
    first, second, third = standing(make_series(rep).series)[:3]
    seen = second.version
    change(first, Scope.ALL, rep, subject="Weekly")
    with pytest.raises(EditConflict):
        edit_activity(activity=second, values={"subject": "Mine"}, version=seen, by=head)
    with pytest.raises(EditConflict):
        edit_series(activity=third, scope=Scope.ALL, values={"subject": "Ours"}, version=seen, by=head)
    edit_activity(activity=second, values={"place": "Room 2"}, version=seen, by=head)
    change(first, Scope.ALL, rep, place="Room 1")
    assert [row.place for row in standing(first.series)[:3]] == ["Room 1", "Room 2", "Room 1"]


def test_deleting_this_and_following_is_one_entry_of_the_bin(rep):
    rows = standing(make_series(rep).series)
    complete_activity(activity=rows[5], result="Held", by=rep)
    end_series(activity=rows[2], scope=Scope.FOLLOWING, by=rep)
    assert [row.pk for row in standing(rows[0].series)] == [rows[0].pk, rows[1].pk, rows[5].pk]
    assert occurrences.fill(Series.objects.get(), timezone.now() + timedelta(days=60)) == []
    restore_record(deletion=Deletion.objects.get(), by=rep)
    assert [row.starts_at for row in standing(rows[0].series)] == [row.starts_at for row in rows]
    end_series(activity=rows[0], scope=Scope.ALL, by=rep)
    assert [row.pk for row in standing(rows[0].series)] == [rows[5].pk]
    restore_record(deletion=Deletion.objects.get(), by=rep)
    assert len(standing(rows[0].series)) == len(rows)


def test_one_deleted_does_not_come_again(rep):
    series = make_series(rep).series
    rows = standing(series)
    end_series(activity=rows[3], scope=Scope.ONE, by=rep)
    series.filled_until = None
    series.save()
    assert occurrences.fill(series, timezone.now()) == []
    assert len(standing(series)) == len(rows) - 1


def test_people_and_rooms_of_all(rep, teammate, head):
    room = Resource.objects.create(name="Blue room")
    first = make_series(rep, WEEKLY + ";COUNT=4", participants=[teammate], resources=[room])
    assert [row.bookings.count() for row in standing(first.series)] == [1, 1, 1, 1]
    taken = plan_activity(
        kind="meeting", subject="Board", starts_at=monday(13) + timedelta(days=7),
        ends_at=monday(14) + timedelta(days=7), by=head,
    )  # fmt: skip
    book(activity=taken, resources=[room], by=head)
    with pytest.raises(ResourceTaken):
        change(first, Scope.ALL, rep, starts_at=monday(13), ends_at=monday(14))
    with pytest.raises(ResourceTaken):
        make_series(teammate, resources=[room])
    edit_series(
        activity=first,
        scope=Scope.ALL,
        values={},
        version=first.version,
        by=rep,
        participants=[head],
        resources=[],
    )
    rows = standing(first.series)
    assert {row.participants.get().user for row in rows} == {head} and rows[2].bookings.count() == 0
    assert set(Reminder.objects.filter(activity=rows[2]).values_list("user_id", flat=True)) == {
        rep.pk,
        head.pk,
    }


def test_handing_over_takes_the_series_along(rep, teammate, head):
    rows = standing(make_series(rep).series)
    edit_activity(activity=rows[0], values={"owner": teammate}, version=1, by=head)
    rows[0].refresh_from_db()
    assert not rows[0].is_detached
    assert Series.objects.get().owner == teammate


def test_what_makes_no_sense_is_refused(rep, outsider):
    rows = standing(make_series(rep).series)
    with pytest.raises(PermissionDenied):
        change(rows[0], Scope.ALL, outsider, subject="Mine")
    with pytest.raises(PermissionDenied):
        end_series(activity=rows[0], scope=Scope.ALL, by=outsider)
    with pytest.raises(ValidationError):
        change(rows[5], Scope.ALL, rep, rule="FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    with pytest.raises(ValidationError):
        make_series(rep, starts_at=datetime(1980, 1, 7, 9, tzinfo=WARSAW))
