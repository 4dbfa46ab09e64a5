"""Letters about notifications: when they are due, and what stands in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Min
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from crm.notify.models import Cadence, Notification
from crm.people.company import company
from crm.people.models import User

MORNING = time(8)
LONGEST_SUBJECT = 150


def due_digests(now: datetime) -> list[tuple[int, str]]:
    """(user id, cadence) of every digest whose hour has come."""
    waiting = (
        Notification.objects.filter(mail__in=[Cadence.HOURLY, Cadence.DAILY])
        .order_by()
        .values_list("user_id", "mail", "user__time_zone")
        .annotate(first=Min("created_at"))
    )
    return [(user, mail) for user, mail, zone, first in waiting if first < _last_round(mail, zone, now)]


def _last_round(cadence: str, zone: str, now: datetime) -> datetime:
    """The latest moment at which digests of this cadence were due: the full hour, or eight in the reader's morning."""
    local = now.astimezone(ZoneInfo(zone))
    if cadence == Cadence.HOURLY:
        return local.replace(minute=0, second=0, microsecond=0)
    morning = datetime.combine(local.date(), MORNING, tzinfo=local.tzinfo)
    return morning if morning <= local else morning - timedelta(days=1)


@contextmanager
def as_reader(user: User) -> Iterator[None]:
    """Words, dates and zone as the person reads them."""
    with translation.override(user.language), timezone.override(ZoneInfo(user.time_zone)):
        yield


def letter(user: User, rows: list[Notification], message_id: str) -> EmailMultiAlternatives:
    """The letter about these notifications in the reader's language, as plain text and simple HTML."""
    with as_reader(user):
        lines = [(row, absolute(row.url or reverse("notify:notification_list"))) for row in rows]
        choices = absolute(reverse("notify:choice_list"))
        context = {
            "user": user, "lines": lines, "choices_url": choices, "company": company(),
            "language": user.language,
        }  # fmt: skip
        found = EmailMultiAlternatives(
            subject=_subject(rows),
            body=render_to_string("notify/mail.txt", context),
            to=[user.email],
            headers={
                "Message-ID": message_id,
                "List-Unsubscribe": f"<{choices}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        found.attach_alternative(render_to_string("notify/mail.html", context), "text/html")
        return found


def message_id(job, rows: list[Notification]) -> str:
    """The same for every attempt, so that a letter sent twice can be known for one."""
    return f"<{job.uid}.{rows[0].pk}@{mail_host()}>"


def mail_host() -> str:
    """The host that names our letters."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"


def absolute(url: str) -> str:
    """A path of ours as the whole address that a letter needs."""
    return url if "://" in url else f"{settings.CRM_URL}{url}"


def _subject(rows: list[Notification]) -> str:
    if len(rows) == 1:
        return " ".join(rows[0].sentence.split())[:LONGEST_SUBJECT]
    words = ngettext("%(count)s new thing for you", "%(count)s new things for you", len(rows))
    return f"{company().name}: {words % {'count': len(rows)}}"
