"""Reminders: set, moved with the activity, fired once, put away, asked for again; and the letter of the morning."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from collab.calendar import reminders, services
from collab.calendar.models import Activity, Reminder, ReminderChoice
from crm.history.bin import delete_record
from crm.jobs.models import Job
from crm.notify.models import Notification
from tests.factories.collab import in_hours, make_activity
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


def minutes_of(activity, user) -> list[int]:
    rows = Reminder.objects.filter(activity=activity, user=user)
    return sorted(rows.values_list("minutes_before", flat=True))


def told(user) -> int:
    return Notification.objects.filter(user=user, kind=reminders.LIVE).count()


def fire(now) -> int:
    rows = list(reminders.due(now).select_related("activity", "activity__owner", "user"))
    return reminders.fire(rows, now)


def test_what_is_usual_holds_unless_something_else_is_asked_for(rep, teammate):
    ReminderChoice.objects.create(user=teammate, minutes={"meeting": [60, 5]})
    usual = make_activity(rep, kind="meeting", participants=[teammate])
    own = make_activity(rep, kind="meeting", remind_before=[120, 30])
    none = make_activity(rep, kind="meeting", remind_before=[])
    assert minutes_of(usual, rep) == [15]
    assert minutes_of(usual, teammate) == [5, 60]
    assert minutes_of(own, rep) == [30, 120]
    assert minutes_of(none, rep) == []


def test_a_reminder_is_told_once_even_if_the_job_runs_twice(rep, run_jobs):
    activity = make_activity(rep, kind="meeting", starts_at=timezone.now() + timedelta(minutes=20))
    at = activity.starts_at - timedelta(minutes=15)
    assert fire(at - timedelta(seconds=1)) == 0
    assert fire(at) == 1
    assert fire(at + timedelta(minutes=1)) == 0
    assert told(rep) == 1
    [row] = reminders.on_screen(rep, at)
    assert row.activity == activity


def test_many_at_once_cost_as_many_queries_as_one(rep):
    """Ten thousand that come due in the same minute must not be late: only the readers count."""
    start = timezone.now() + timedelta(minutes=20)
    costs = []
    for count in (1, 40):
        for _ in range(count):
            make_activity(rep, kind="meeting", starts_at=start, remind_before=[15])
        with CaptureQueriesContext(connection) as asked:
            assert fire(start) == count
        costs.append(len(asked))
    assert costs[0] == costs[1]
    assert len(reminders.on_screen(rep, start)) == 41


def test_the_job_fires_what_came_due_while_nothing_ran(rep, run_jobs):
    activity = make_activity(rep, kind="call", starts_at=timezone.now() + timedelta(minutes=30))
    Reminder.objects.filter(activity=activity).update(due_at=timezone.now() - timedelta(hours=3))
    reminders.wake(Reminder.objects.filter(activity=activity))
    run_jobs()
    assert told(rep) == 1
    assert (
        not Job.objects.exclude(status=Job.Status.DONE)
        .exclude(kind__endswith="periodic")
        .filter(kind=reminders.JOB, status=Job.Status.FAILED)
    )


def test_a_moved_activity_takes_its_reminders_along_and_reminds_again(rep):
    activity = make_activity(rep, kind="meeting", starts_at=timezone.now() + timedelta(minutes=20))
    fire(activity.starts_at)
    services.reschedule_activity(activity=activity, starts_at=in_hours(48), by=rep)
    [row] = Reminder.objects.filter(activity=activity)
    assert (row.due_at, row.fired_at) == (activity.starts_at - timedelta(minutes=15), None)
    assert fire(activity.starts_at) == 1
    assert told(rep) == 2


@pytest.mark.parametrize("ending", ["done", "cancelled", "deleted"])
def test_what_is_over_reminds_nobody(rep, ending):
    activity = make_activity(rep, kind="meeting")
    match ending:
        case "done":
            services.complete_activity(activity=activity, result="ok", by=rep)
        case "cancelled":
            services.cancel_activity(activity=activity, by=rep)
        case "deleted":
            delete_record(record=activity, by=rep)
    assert fire(in_hours(1000)) == 0
    assert told(rep) == 0


def test_a_colleague_who_lost_sight_of_the_activity_is_not_told(rep, outsider):
    activity = make_activity(rep, kind="meeting", participants=[outsider])
    assert minutes_of(activity, outsider) == [15]
    activity.participants.all().delete()
    fire(in_hours(1000))
    assert (told(rep), told(outsider)) == (1, 0)
    assert reminders.on_screen(outsider, in_hours(1000)) == []


def test_who_leaves_is_not_reminded_and_who_comes_is(rep, teammate, head):
    activity = make_activity(rep, kind="meeting", participants=[teammate])
    services.edit_activity(
        activity=activity, values={}, version=activity.version, by=rep, participants=[head]
    )
    assert (minutes_of(activity, teammate), minutes_of(activity, head)) == ([], [15])
    reminders.set_reminders(activity=activity, by=head, minutes=[])
    activity.refresh_from_db()
    services.edit_activity(
        activity=activity, values={}, version=activity.version, by=rep, participants=[head]
    )
    assert minutes_of(activity, head) == []


def test_another_owner_is_reminded_instead(rep, teammate, admin_user):
    activity = make_activity(rep, kind="meeting")
    services.edit_activity(
        activity=activity, values={"owner": teammate}, version=activity.version, by=admin_user
    )
    assert (minutes_of(activity, rep), minutes_of(activity, teammate)) == ([], [15])


def test_a_whole_day_reminds_before_people_come_to_work(rep):
    rep.time_zone = "Europe/Warsaw"
    rep.save()
    start = datetime(2031, 7, 14, 22, tzinfo=UTC)  # midnight of the 15th in Warsaw
    activity = make_activity(rep, kind="meeting", starts_at=start, all_day=True, remind_before=[60])
    [row] = Reminder.objects.filter(activity=activity)
    assert row.due_at == datetime(2031, 7, 15, 6, tzinfo=UTC)


def test_snoozed_it_comes_again_and_dismissed_it_does_not(rep):
    activity = make_activity(rep, kind="meeting", remind_before=[15, 30])
    now = timezone.now()
    Reminder.objects.filter(activity=activity).update(due_at=now)
    assert fire(now) == 2
    until = reminders.snooze(activity=activity, by=rep, minutes=5)
    assert reminders.on_screen(rep, now) == []
    assert fire(until - timedelta(seconds=5)) == 0
    assert fire(until) == 1
    reminders.dismiss(activity=activity, by=rep)
    assert fire(in_hours(1000)) == 0
    assert reminders.on_screen(rep, until) == []


def test_too_many_reminders_are_refused(rep):
    activity = make_activity(rep)
    with pytest.raises(ValidationError):
        reminders.set_reminders(activity=activity, by=rep, minutes=range(9))


def test_one_job_fires_hundreds_in_few_queries(rep, django_assert_max_num_queries):
    lead = make_lead(rep)
    rows = [make_activity(rep, kind="call", lead=lead, subject=f"Call {number}") for number in range(40)]
    Reminder.objects.filter(activity__in=rows).update(due_at=timezone.now())
    found = list(reminders.due(timezone.now()).select_related("activity", "activity__owner", "user"))
    with django_assert_max_num_queries(12):
        assert reminders.fire(found, timezone.now()) == 40


class TestPages:
    def test_plan_with_reminders_and_see_them(self, rep, signed_in):
        client, lead = signed_in(rep), make_lead(rep)
        url = f"{reverse('collab_calendar:activity_create')}?lead={lead.pk}&kind=meeting"
        at = (timezone.localtime() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
        data = {"kind": "meeting", "subject": "Spotkanie", "starts_at": at, "minutes": "60"}
        client.post(url, data | {"remind": ["15"]})
        client.post(url, data | {"remind": ["1440", "60"]})
        usual, own = Activity.objects.order_by("pk")
        assert (minutes_of(usual, rep), minutes_of(own, rep)) == ([15], [60, 1440])
        page = client.get(reverse("collab_calendar:activity_detail", args=[own.pk])).content.decode()
        assert "1 day before" in page

    def test_own_moment_and_bad_input(self, rep, signed_in, outsider):
        activity = make_activity(rep)
        url = reverse("collab_calendar:activity_reminders", args=[activity.pk])
        client = signed_in(rep)
        at = (timezone.localtime() + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M")
        assert client.post(url, {"minutes": ["60"], "at": at}).status_code == 302
        assert Reminder.objects.filter(activity=activity).exclude(at=None).count() == 1
        assert client.post(url, {"minutes": ["61"]}).status_code == 422
        assert client.post(url, {"at": "2001-01-01T10:00"}).status_code == 422
        assert Reminder.objects.filter(activity=activity).count() == 2
        assert signed_in(outsider).get(url).status_code == 404

    def test_cards_snooze_and_dismissal(self, rep, signed_in, outsider):
        activity = make_activity(rep, subject="Oddzwonić", remind_before=[15])
        Reminder.objects.update(due_at=timezone.now())
        fire(timezone.now())
        client = signed_in(rep)
        cards = reverse("collab_calendar:reminder_list")
        assert "Oddzwonić" in client.get(cards).content.decode()
        snooze = reverse("collab_calendar:activity_snooze", args=[activity.pk])
        assert client.post(snooze, {"minutes": "7"}).status_code == 400
        assert client.post(snooze, {"minutes": "15"}).status_code == 302
        assert "Oddzwonić" not in client.get(cards).content.decode()
        client = signed_in(outsider)
        assert "Oddzwonić" not in client.get(cards).content.decode()
        dismissal = reverse("collab_calendar:activity_dismissal", args=[activity.pk])
        assert (client.post(snooze, {"minutes": "15"}).status_code, client.post(dismissal).status_code) == (
            404,
            404,
        )

    def test_choice_is_kept(self, rep, signed_in):
        client, url = signed_in(rep), reverse("collab_calendar:reminder_choice")
        assert client.post(url, {"call": ["0", "60"], "morning_letter": "on"}).status_code == 302
        mine = ReminderChoice.objects.get(user=rep)
        assert mine.minutes == {"call": [0, 60], "meeting": [], "letter": []}
        assert mine.morning_letter
        assert client.post(url, {"call": ["-5"]}).status_code == 422


class TestMorning:
    @pytest.fixture
    def wanted(self, rep, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        rep.email, rep.time_zone, rep.language = "rep@example.com", "Europe/Warsaw", "pl"
        rep.save()
        return ReminderChoice.objects.create(user=rep, morning_letter=True)

    def test_one_letter_a_working_day_in_the_readers_language(self, rep, wanted, run_jobs, time_machine):
        time_machine.move_to(datetime(2031, 7, 15, 5, 30, tzinfo=UTC))  # half past seven, a Tuesday
        make_activity(rep, subject="Kawa z Żurawiem", starts_at=datetime(2031, 7, 15, 9, tzinfo=UTC))
        from crm.jobs.worker import sweep

        sweep()
        run_jobs()
        sweep()
        run_jobs()
        [letter] = mail.outbox
        assert "Kawa z Żurawiem" in letter.body
        assert "11:00" in letter.body
        assert letter.subject.startswith("Twój dzień")

    @pytest.mark.parametrize(
        "moment", [datetime(2031, 7, 15, 4, tzinfo=UTC), datetime(2031, 7, 13, 6, tzinfo=UTC)]
    )
    def test_none_at_night_nor_on_sunday(self, wanted, moment):
        from collab.calendar.morning import due_letters

        assert due_letters(moment) == []
