"""Guests from outside: invited by mail, told of changes, answering by their link."""

import smtplib
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import translation
from icalendar import Calendar

from collab.calendar import services
from collab.calendar.models import Activity
from collab.calendar.series_services import Scope, edit_series, end_series
from collab.phones.guest_mails import message_of
from collab.phones.guest_models import Guest
from collab.phones.guests import guests_of, invite_guests, withdraw_guest
from collab.phones.tasks import ROUND
from counterparties.consents import record_consent
from crm.history.bin import delete_record
from crm.history.erasing import erase_now
from crm.history.models import Event
from crm.jobs.services import enqueue
from crm.jobs.worker import PERIODIC
from crm.notify.models import Notification
from tests.factories.browser import unused_port
from tests.factories.collab import in_hours, make_activity, make_series
from tests.factories.counterparties import make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def mail_server(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.CRM_URL = "https://crm.example"
    cache.clear()


@pytest.fixture
def meeting(rep):
    rep.email = "rep@example.com"
    rep.save()
    return make_activity(
        rep,
        kind="meeting",
        subject="Own words",
        description="Our own notes",
        place="Łódź",
        ends_at=in_hours(3),
    )


def invite(meeting, by, *addresses, **values) -> list[Guest]:
    values = {"title": "Oferta, część 1", "text": "Zapraszamy", "language": "pl", "known": []} | values
    return invite_guests(activity=meeting, addresses=addresses or ["anna@example.com"], by=by, **values)


def parts(message) -> tuple[str, object, object]:
    """The words, the event and the whole calendar of a letter as a program reads it."""
    read = message_from_bytes(message.message().as_bytes(), policy=default)
    words = next(part for part in read.walk() if part.get_content_type() == "text/plain").get_content()
    found = [part for part in read.walk() if part.get_content_type() == "text/calendar"]
    assert len(found) == 2
    assert found[1].get_filename() == "invite.ics"
    calendar = Calendar.from_ical(found[0].get_content())
    assert found[0].get_param("method") == str(calendar["METHOD"])
    return words, calendar.walk("VEVENT")[0], calendar


def link(message, which: str = "accepted") -> str:
    words = parts(message)[0]
    return next(word for word in words.split() if word.endswith(f"?answer={which}")).removeprefix(
        "https://crm.example"
    )


def a_minute_later(run_jobs) -> None:
    """The round of every minute has come."""
    enqueue(kind=ROUND, key=PERIODIC)
    told(run_jobs)


def told(run_jobs) -> None:
    """Changes are found, then letters sent."""
    run_jobs()
    run_jobs()


def test_an_invitation_says_what_guests_may_know_and_no_more(rep, meeting, run_jobs):
    [guest] = invite(meeting, rep)
    assert mail.outbox == []
    run_jobs()
    [message] = mail.outbox
    words, event, calendar = parts(message)
    assert (message.to, message.reply_to) == (["anna@example.com"], ["rep@example.com"])
    assert message.subject == "Zaproszenie: Oferta, część 1"
    assert (str(calendar["METHOD"]), str(event["SUMMARY"]), str(event["UID"])) == (
        "REQUEST", "Oferta, część 1", meeting.uid,
    )  # fmt: skip
    assert (event["DTSTART"].dt, event["DTEND"].dt, int(event["SEQUENCE"])) == (
        meeting.starts_at,
        meeting.ends_at,
        0,
    )
    assert (str(event["ORGANIZER"]), str(event["ATTENDEE"])) == (
        "mailto:rep@example.com",
        "mailto:anna@example.com",
    )
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"
    for secret in ("Own words", "Our own notes", f"/activities/{meeting.pk}/"):
        assert secret not in words + calendar.to_ical().decode()
    guest.refresh_from_db()
    assert guest.state == Guest.State.SENT
    assert Event.objects.filter(kind="guests_invited", subject_id=meeting.pk).count() == 1


def test_changes_and_cancellation_follow_with_a_growing_number(rep, meeting, run_jobs):
    [guest] = invite(meeting, rep)
    run_jobs()
    services.edit_activity(activity=meeting, values={"description": "x"}, version=meeting.version, by=rep)
    run_jobs()
    assert len(mail.outbox) == 1
    later = in_hours(30)
    services.reschedule_activity(activity=meeting, starts_at=later, by=rep)
    run_jobs()
    services.edit_activity(activity=meeting, values={"place": "Kraków"}, version=meeting.version, by=rep)
    a_minute_later(run_jobs)
    services.cancel_activity(activity=meeting, by=rep)
    told(run_jobs)
    read = [parts(message) for message in mail.outbox]
    assert [(str(calendar["METHOD"]), int(event["SEQUENCE"])) for _words, event, calendar in read] == [
        ("REQUEST", 0), ("REQUEST", 1), ("REQUEST", 2), ("CANCEL", 3),
    ]  # fmt: skip
    assert read[1][1]["DTSTART"].dt == later
    assert str(read[2][1]["LOCATION"]) == "Kraków"
    assert str(read[3][1]["STATUS"]) == "CANCELLED"
    assert "?answer=" not in read[3][0]
    a_minute_later(run_jobs)
    assert len(mail.outbox) == 4
    guest.refresh_from_db()
    assert guest.withdrawn_at is not None


def test_what_goes_into_the_bin_is_called_off_and_withdrawing_tells_the_guest(rep, meeting, run_jobs):
    other = make_activity(rep, kind="meeting", ends_at=in_hours(3))
    invite(meeting, rep)
    [guest] = invite(other, rep, "jan@example.com")
    run_jobs()
    delete_record(record=meeting, by=rep)
    withdraw_guest(guest=guest, by=rep)
    a_minute_later(run_jobs)
    assert sorted((message.to[0], str(parts(message)[2]["METHOD"])) for message in mail.outbox[2:]) == [
        ("anna@example.com", "CANCEL"), ("jan@example.com", "CANCEL"),
    ]  # fmt: skip
    assert not guests_of(other).exists()
    invite(other, rep, "jan@example.com")


def test_a_guest_answers_and_whoever_invited_him_hears_of_it(rep, outsider, meeting, run_jobs, signed_in):
    contact = make_contact(rep, first_name="Anna", last_name="Nowak", email="anna@example.com")
    services.edit_activity(
        activity=meeting, values={}, version=meeting.version, by=rep, participants=[contact]
    )
    url = reverse("collab_phones:activity_invitation", args=[meeting.pk])
    client = signed_in(rep)
    assert "anna@example.com" in client.get(url).content.decode()
    answer = client.post(
        url, {"known": ["anna@example.com"], "title": "Oferta", "text": "", "language": "en"}
    )
    assert answer.status_code == 302, answer.content.decode()
    run_jobs()
    page = link(mail.outbox[0], "tentative")
    visitor = Client(enforce_csrf_checks=False)
    shown = visitor.get(page)
    assert (shown.status_code, shown["Referrer-Policy"]) == (200, "no-referrer")
    assert "Oferta" in shown.content.decode()
    assert "Own words" not in shown.content.decode()
    assert "I do not come" in shown.content.decode()
    visitor.cookies["django_language"] = "pl"
    assert "Nie przyjdę" in visitor.get(page).content.decode()
    assert Guest.objects.get().answer == "none"
    path = page.partition("?")[0]
    assert visitor.post(path, {"answer": "accepted"}).status_code == 302
    assert visitor.post(path, {"answer": "accepted"}).status_code == 302
    assert visitor.post(path, {"answer": "later"}).status_code == 422
    assert Guest.objects.get().answer == "accepted"
    [told] = Notification.objects.filter(user=rep, kind="collab_phones.guest_answered")
    with translation.override("en"):
        assert told.sentence == "Anna Nowak comes: Own words"
    fragment = (
        signed_in(rep).get(reverse("collab_phones:activity_guests", args=[meeting.pk])).content.decode()
    )
    assert "Anna Nowak" in fragment
    assert "comes" in fragment
    services.reschedule_activity(activity=meeting, starts_at=in_hours(50), by=rep)
    run_jobs()
    assert Guest.objects.get().answer == "none"
    services.cancel_activity(activity=meeting, by=rep)
    run_jobs()
    assert visitor.post(path, {"answer": "declined"}).status_code == 422
    assert signed_in(outsider).get(url).status_code == 404


def test_an_erased_contact_leaves_no_address_among_the_guests(rep, meeting):
    contact = make_contact(rep, first_name="Anna", last_name="Nowak", email="anna@example.com")
    invite(meeting, rep, "anna@example.com", "jan@example.com")
    delete_record(record=contact, by=rep)
    erase_now(kind="counterparties.contact", record_id=contact.pk)
    assert [guest.email for guest in Guest.objects.all()] == ["jan@example.com"]


def test_guessed_links_do_not_exist_and_are_shut_out(rep, meeting):
    [guest] = invite(meeting, rep)
    right = reverse("guests:guest_answer", args=[guest.token])
    for token in (
        "1",
        f"{guest.pk}-{'0' * 64}",
        f"{guest.pk + 1}-{guest.token.partition('-')[2]}",
        "x-y",
        "9" * 40,
    ):
        assert Client().get(reverse("guests:guest_answer", args=[token])).status_code == 404
    assert Client().get(right).status_code == 200
    for number in range(25):
        Client().get(reverse("guests:guest_answer", args=[f"{number}-guess"]))
    assert Client().get(right).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.9").get(right).status_code == 200


def test_who_may_invite_whom(rep, outsider, meeting, settings, run_jobs):
    contact = make_contact(rep, email="refuses@example.com")
    record_consent(contact=contact, channel="email", state="refused", source="phone", by=rep)
    for addresses in (["refuses@example.com"], ["nobody"], ["a@example.com\nBcc: b@example.com"], [" "]):
        with pytest.raises(ValidationError):
            invite(meeting, rep, *addresses)
    with pytest.raises(ValidationError):
        invite(meeting, rep, *[f"a{number}@example.com" for number in range(31)])
    with pytest.raises(PermissionDenied):
        invite(meeting, outsider)
    with pytest.raises(ValidationError):
        invite(make_activity(rep, hours=-5), rep)
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    with pytest.raises(ValidationError):
        invite(meeting, rep)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert not Guest.objects.exists()
    invite(meeting, rep)
    with pytest.raises(ValidationError):
        invite(meeting, rep, "ANNA@example.com")
    anna = make_contact(rep, email="anna@example.com")
    record_consent(contact=anna, channel="email", state="refused", source="phone", by=rep)
    run_jobs()
    assert (mail.outbox, Guest.objects.get().state) == ([], "failed")


def test_silence_of_the_server_is_shown_and_the_letter_sent_again(
    rep, meeting, run_jobs, monkeypatch, signed_in
):
    def silent(self, messages):
        raise smtplib.SMTPServerDisconnected("gone")

    with monkeypatch.context() as gone:
        gone.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", silent)
        [guest] = invite(meeting, rep)
        run_jobs()
    guest.refresh_from_db()
    assert guest.state == "doubtful"
    assert signed_in(rep).post(reverse("collab_phones:guest_sending", args=[guest.pk])).status_code == 302
    run_jobs()
    [message] = mail.outbox
    assert int(parts(message)[1]["SEQUENCE"]) == 1
    assert signed_in(rep).post(reverse("collab_phones:guest_removal", args=[guest.pk])).status_code == 302


def test_a_real_server_takes_the_letter_as_it_is(rep, meeting):
    """Lines, folding and encodings survive SMTP: what arrives is read by the library."""
    [guest] = invite(meeting, rep, "anna@example.com", title="Zażółć gęślą jaźń " * 8)
    taken = []

    class Keeper(Message):
        def handle_message(self, message):
            taken.append(message)

    controller = Controller(Keeper(), hostname="127.0.0.1", port=unused_port())
    controller.start()
    try:
        with smtplib.SMTP("127.0.0.1", controller.port) as server:
            server.send_message(message_of(guest, "REQUEST", "key").message())
    finally:
        controller.stop()
    [message] = taken
    text = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    body = text.get_payload(decode=True)
    [event] = Calendar.from_ical(body).walk("VEVENT")
    assert str(event["SUMMARY"]) == ("Zażółć gęślą jaźń " * 8).strip()


def test_an_occurrence_with_guests_stands_on_its_own_and_its_end_is_told(rep, run_jobs):
    first = make_series(rep)
    second = Activity.objects.filter(series=first.series).order_by("starts_at")[1]
    invite(second, rep)
    run_jobs()
    values = {
        "starts_at": first.starts_at + timedelta(hours=2),
        "ends_at": first.ends_at + timedelta(hours=2),
    }
    edit_series(activity=first, scope=Scope.ALL, values=values, version=first.version, by=rep)
    a_minute_later(run_jobs)
    was = second.starts_at
    second.refresh_from_db()
    assert (second.starts_at, len(mail.outbox)) == (was, 1)
    end_series(activity=first, scope=Scope.ALL, by=rep)
    a_minute_later(run_jobs)
    assert [str(parts(message)[2]["METHOD"]) for message in mail.outbox] == ["REQUEST", "CANCEL"]
