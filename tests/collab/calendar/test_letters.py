"""Letters by e-mail: to whom, as a job, once; what becomes of the activity."""

import smtplib

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from collab.calendar import letters, services
from collab.calendar.models import Activity, Letter
from counterparties.consents import record_consent
from crm.jobs.models import Job
from crm.jobs.services import retry
from tests.factories.collab import make_activity
from tests.factories.counterparties import make_contact
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def planned(rep):
    lead = make_lead(rep, email="lead@example.com")
    return make_activity(rep, kind="letter", subject="Oferta", lead=lead, description="Dzień dobry")


def send(activity, by, **values) -> Letter:
    values = {"to": ["lead@example.com"], "subject": "Oferta", "text": "Treść z ł"} | values
    return letters.send_letter(activity=activity, by=by, **values)


def test_a_sent_letter_completes_its_activity_with_what_was_written(rep, planned, run_jobs):
    rep.email = "rep@example.com"
    rep.save()
    letter = send(planned, rep)
    assert mail.outbox == []
    run_jobs()
    [message] = mail.outbox
    assert (message.to, message.subject, message.reply_to) == (
        ["lead@example.com"],
        "Oferta",
        ["rep@example.com"],
    )
    planned.refresh_from_db()
    letter.refresh_from_db()
    assert letter.state == Letter.State.SENT
    assert planned.done_at is not None
    assert "lead@example.com" in planned.result
    assert "Treść z ł" in planned.result


def test_it_goes_out_once_however_often_it_is_asked_for(rep, planned, run_jobs):
    send(planned, rep)
    with pytest.raises(ValidationError):
        send(planned, rep)
    run_jobs()
    run_jobs()
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"to": []},
        {"to": ["nobody"]},
        {"to": ["a@example.com\nBcc: b@example.com"]},
        {"to": [f"a{number}@example.com" for number in range(21)]},
        {"subject": ""},
        {"text": ""},
    ],
)
def test_a_wrong_letter_is_refused_whole(rep, planned, values):
    with pytest.raises(ValidationError):
        send(planned, rep, **values)
    assert not Letter.objects.exists()
    assert not Job.objects.filter(kind=letters.JOB).exists()


def test_who_does_not_wish_it_is_neither_offered_nor_written_to(rep, run_jobs):
    contact = make_contact(rep, email="anna@example.com")
    activity = make_activity(rep, kind="letter", contact=contact)
    letter = send(activity, rep, to=["anna@example.com"])
    record_consent(contact=contact, channel="email", state="refused", source="phone", by=rep)
    assert [one.refuses for one in letters.addressees(activity, rep)] == [True]
    with pytest.raises(ValidationError):
        send(activity, rep, to=["anna@example.com"])
    run_jobs()
    letter.refresh_from_db()
    assert (mail.outbox, letter.state) == ([], Letter.State.FAILED)


def test_an_activity_closed_meanwhile_sends_nothing(rep, planned, run_jobs):
    send(planned, rep)
    services.cancel_activity(activity=planned, by=rep)
    run_jobs()
    assert mail.outbox == []
    assert Letter.objects.get().state == Letter.State.FAILED


def test_silence_of_the_server_leaves_a_doubt_that_a_person_settles(rep, planned, run_jobs, monkeypatch):
    def silent(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", silent)
    letter = send(planned, rep)
    run_jobs()
    letter.refresh_from_db()
    assert letter.state == Letter.State.DOUBTFUL
    letters.settle(letter=letter, was_sent=False, by=rep)
    monkeypatch.undo()
    send(planned, rep)
    run_jobs()
    planned.refresh_from_db()
    assert planned.done_at is not None


def test_a_retried_job_of_a_settled_letter_sends_no_second_one(rep, planned, run_jobs, monkeypatch):
    def silent(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", silent)
    letter = send(planned, rep)
    run_jobs()
    letters.settle(letter=letter, was_sent=True, by=rep)
    monkeypatch.undo()
    retry(job=Job.objects.get(kind=letters.JOB), by=rep)
    run_jobs(now=timezone.now())
    assert mail.outbox == []


class TestPages:
    def test_written_and_sent(self, rep, planned, signed_in, run_jobs):
        url = reverse("collab_calendar:activity_letter", args=[planned.pk])
        client = signed_in(rep)
        page = client.get(url).content.decode()
        assert "lead@example.com" in page
        assert "Dzień dobry" in page
        answer = client.post(url, {"known": ["lead@example.com"], "subject": "Oferta", "text": "Treść"})
        assert answer.status_code == 302
        run_jobs()
        assert len(mail.outbox) == 1

    def test_bad_input_and_other_people(self, rep, planned, signed_in, outsider):
        url = reverse("collab_calendar:activity_letter", args=[planned.pk])
        client = signed_in(rep)
        assert client.post(url, {"subject": "x", "text": "y"}).status_code == 422
        assert client.post(url, {"others": "wrong", "subject": "x", "text": "y"}).status_code == 422
        call = make_activity(rep, kind="call")
        assert client.get(reverse("collab_calendar:activity_letter", args=[call.pk])).status_code == 302
        assert signed_in(outsider).get(url).status_code == 404
        settlement = reverse("collab_calendar:activity_letter_settlement", args=[planned.pk])
        assert signed_in(rep).post(settlement, {"sent": "1"}).status_code == 404
        assert Activity.objects.get(pk=planned.pk).is_open
