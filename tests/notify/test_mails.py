"""Letters about notifications, through a real mail server: once, in the reader's language, with today's rights."""

import email
from datetime import UTC, datetime, timedelta
from email import policy

import pytest
import time_machine
from aiosmtpd.controller import Controller
from django.utils import timezone

from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.notify.mails import due_digests
from crm.notify.models import Choice, Notification
from crm.notify.notices import Way, choose
from crm.notify.services import mark_read, notify
from tests.factories.browser import unused_port
from tests.factories.counterparties import make_counterparty

pytestmark = pytest.mark.django_db(transaction=True)


class Post:
    """A mail server that keeps letters; `answers` are given in turn instead of accepting, "gone" hangs up."""

    def __init__(self) -> None:
        self.letters, self.answers = [], []

    async def handle_DATA(self, server, session, envelope):
        self.letters.append(email.message_from_bytes(envelope.content, policy=policy.default))
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "gone":
            server.transport.abort()
        return answer


@pytest.fixture
def post(settings):
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=unused_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.CRM_URL = "https://crm.example"
    yield handler
    controller.stop()


@pytest.fixture
def at_once(db):
    return Choice.objects.create(kind="mention", page=True, mail="now")


def tell(user, record=None, text="%(who)s mentioned you on “%(card)s”: %(text)s"):
    params = {"who": "Ewa", "card": "Łódź", "text": "<b>proszę</b>"}
    return notify(user=user, kind="mention", text=text, params=params, record=record)


def test_a_letter_at_once_in_the_readers_language(post, at_once, rep, run_jobs):
    rep.language = "pl"
    rep.save()
    record = make_counterparty(rep, name="Łódź")
    tell(rep, record)
    run_jobs()
    [letter] = post.letters
    plain = letter.get_body(("plain",)).get_content()
    html = letter.get_body(("html",)).get_content()
    assert (letter["To"], letter["List-Unsubscribe"]) == (
        rep.email,
        "<https://crm.example/notifications/choices/>",
    )
    assert "Łódź" in plain and "<b>proszę</b>" in plain
    assert f"https://crm.example/counterparties/{record.pk}/" in plain
    assert "https://crm.example/notifications/choices/" in plain
    assert ('lang="pl"' in html, "&lt;b&gt;proszę&lt;/b&gt;" in html, "<b>" in html) == (True, True, False)
    assert "Dzień dobry" in plain
    assert letter["Subject"].strip() == "Ewa wspomina o Tobie w „Łódź”: <b>proszę</b>"
    run_jobs(timezone.now() + timedelta(days=2))
    assert len(post.letters) == 1


def test_a_digest_holds_what_was_not_read_meanwhile(post, rep, run_jobs):
    rows = [tell(rep, text=f"Event {number}") for number in range(3)]
    mark_read(user=rep, pks=[rows[1].pk])
    run_jobs()
    assert post.letters == []
    with time_machine.travel(timezone.now() + timedelta(hours=1, minutes=6), tick=True):
        enqueue(kind="notify.digests")
        run_jobs()
        run_jobs()
    [letter] = post.letters
    assert letter["Subject"].strip() == "Contentum: 2 new things for you"
    plain = letter.get_body(("plain",)).get_content()
    assert [f"Event {number}" in plain for number in range(3)] == [True, False, True]
    assert set(Notification.objects.values_list("mail", flat=True)) == {""}


def test_a_daily_digest_waits_for_the_readers_morning(rep):
    choose(user=rep, ways={"mention": Way(True, "daily")})
    rep.time_zone = "America/New_York"
    rep.save()
    written = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    with time_machine.travel(written, tick=False):
        tell(rep)
    assert due_digests(datetime(2026, 11, 26, 12, 59, tzinfo=UTC)) == []
    assert due_digests(datetime(2026, 11, 26, 13, 0, tzinfo=UTC)) == [(rep.pk, "daily")]


def test_rights_and_wishes_are_asked_again_when_it_is_sent(post, at_once, rep, outsider, run_jobs):
    record = make_counterparty(rep, name="Łódź")
    tell(rep, record)
    record.owner = outsider
    record.save()
    tell(outsider, record)
    choose(user=outsider, ways={"mention": Way(True, "never")})
    run_jobs()
    assert post.letters == []
    assert set(Job.objects.filter(kind="notify.mail").values_list("status", flat=True)) == {"done"}


def test_somebody_dismissed_gets_nothing(post, at_once, rep, run_jobs):
    tell(rep)
    rep.is_active = False
    rep.save()
    run_jobs()
    assert post.letters == []


def test_a_refused_letter_is_tried_again_and_known_for_the_same(post, at_once, rep, run_jobs):
    post.answers = ["451 later"]
    tell(rep)
    run_jobs()
    run_jobs(timezone.now() + timedelta(minutes=2))
    assert len(post.letters) == 2
    assert len({letter["Message-ID"] for letter in post.letters}) == 1
    assert Job.objects.get(kind="notify.mail").status == "done"


def test_silence_in_the_middle_is_doubtful_and_not_repeated(post, at_once, rep, run_jobs):
    post.answers = ["gone"]
    tell(rep)
    run_jobs()
    run_jobs(timezone.now() + timedelta(days=1))
    assert (len(post.letters), Job.objects.get(kind="notify.mail").status) == (1, "doubtful")


def test_a_server_out_of_reach_leaves_the_job_waiting(at_once, rep, run_jobs, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused_port()
    tell(rep)
    run_jobs()
    job = Job.objects.get(kind="notify.mail")
    assert (job.status, job.attempts) == ("due", 1)
