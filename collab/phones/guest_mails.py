"""Invitations as letters: iTIP (RFC 5546) for calendars, words and links for people."""

from __future__ import annotations

from email.mime.text import MIMEText
from email.utils import formataddr, parseaddr
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from collab.calendar.models import Activity
from collab.phones import ical
from collab.phones.guest_models import Answer, Guest
from crm.notify.mails import absolute, mail_host
from crm.people.company import company, company_time_zone


def when_of(activity: Activity) -> str:
    """The time as guests read it, in the company's zone."""
    zone = ZoneInfo(company_time_zone())
    start = activity.starts_at.astimezone(zone)
    if activity.all_day:
        return date_format(start, "DATE_FORMAT")
    ends = activity.ends_at.astimezone(zone) if activity.ends_at else None
    until = f"–{date_format(ends, 'H:i')}" if ends and ends.date() == start.date() else ""
    return f"{date_format(start, 'l, j E Y')}, {date_format(start, 'H:i')}{until} ({zone.key})"


def invitation(guest: Guest, method: str) -> str:
    """The VCALENDAR of one guest: an invitation, the same changed, or its withdrawal."""
    letter = guest.letter
    activity, sender = letter.activity, letter.by
    zone = ZoneInfo(sender.time_zone)
    address = sender.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    organiser = f'ORGANIZER;CN="{_quoted(str(sender))}"'
    attendee = f'ATTENDEE;CN="{_quoted(str(guest))}";ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE'
    uid = Activity.objects.filter(pk=activity.pk).values_list(*ical.FIELDS, named=True).get()
    status = "CANCELLED" if method == "CANCEL" else "CONFIRMED"
    lines = [
        "BEGIN:VEVENT", ical.line("UID", ical.uid_of(uid)), f"DTSTAMP:{ical.utc(timezone.now())}",
        *ical.times(activity, zone), ical.text("SUMMARY", letter.title),
        *([ical.text("LOCATION", activity.place)] if activity.place else []),
        *([ical.text("DESCRIPTION", letter.text)] if letter.text else []),
        ical.line(organiser, f"mailto:{address}"), ical.line(attendee, f"mailto:{guest.email}"),
        f"SEQUENCE:{guest.sequence}", f"STATUS:{status}", "END:VEVENT",
    ]  # fmt: skip
    return ical.calendar(["\r\n".join(lines)], method=method)


def _quoted(name: str) -> str:
    """A parameter's value holds neither quotes nor control characters."""
    return "".join(char for char in name if char >= " " and char != '"')


def message_of(guest: Guest, method: str, key: str) -> EmailMultiAlternatives:
    """The letter: plain text, the invitation for the guest's program, and the same as a file."""
    letter = guest.letter
    with translation.override(letter.language):
        subject, body = _words(guest, method)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    found = EmailMultiAlternatives(
        subject=subject[:200],
        body=body,
        from_email=formataddr((str(letter.by), sender)),
        to=[guest.email],
        reply_to=[letter.by.email] if letter.by.email else None,
        headers={"Message-ID": f"<{key}@{mail_host()}>"},
    )
    text = invitation(guest, method)
    found.attach_alternative(text, f"text/calendar; method={method}; charset=utf-8")
    file = MIMEText(text, "calendar", "utf-8")
    file.set_param("method", method)
    file.add_header("Content-Disposition", "attachment", filename="invite.ics")
    found.attach(file)
    return found


def _words(guest: Guest, method: str) -> tuple[str, str]:
    letter = guest.letter
    if method == "CANCEL":
        head = _("Called off: %(title)s")
    elif guest.sequence:
        head = _("Changed: %(title)s")
    else:
        head = _("Invitation: %(title)s")
    page = absolute(reverse("guests:guest_answer", args=[guest.token]))
    context = {
        "guest": guest, "letter": letter, "activity": letter.activity, "when": when_of(letter.activity),
        "is_off": method == "CANCEL", "is_changed": guest.sequence > 0, "company": company(),
        "links": [(Answer(one).label, f"{page}?answer={one}") for one in ("accepted", "tentative", "declined")],
    }  # fmt: skip
    return head % {"title": letter.title}, render_to_string("collab/phones/guest_mail.txt", context)
