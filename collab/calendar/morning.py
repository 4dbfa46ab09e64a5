"""The letter with one's day, written in the reader's morning."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from collab.calendar.models import ReminderChoice
from collab.calendar.selectors import my_day
from crm.notify.mails import absolute, as_reader
from crm.people.calendar import working_calendar
from crm.people.company import company

FIRST, LAST = time(7), time(12)


def due_letters(now: datetime) -> list[tuple[ReminderChoice, date]]:
    """Who has not had the letter of his working day yet, between seven and noon on his clock."""
    found = []
    rows = ReminderChoice.objects.filter(morning_letter=True, user__is_active=True).exclude(user__email="")
    for row in rows.select_related("user"):
        local = now.astimezone(ZoneInfo(row.user.time_zone))
        if FIRST <= local.time() < LAST and row.letter_sent_on != local.date():
            found.append((row, local.date()))
    calendar = working_calendar() if found else None
    return [(row, day) for row, day in found if calendar.hours_on(day)]


def morning_letter(user, now: datetime, message_id: str) -> EmailMultiAlternatives:
    """What is overdue, what stands today, in the reader's language and time."""
    with as_reader(user):
        day = my_day(user, now)
        local = now.astimezone(ZoneInfo(user.time_zone))
        context = {
            "user": user,
            "day": day,
            "today": [*day.now, *day.today],
            "company": company(),
            "language": user.language,
            "root": absolute(""),
            "choices_url": absolute(reverse("collab_calendar:reminder_choice")),
        }
        letter = EmailMultiAlternatives(
            subject=_("Your day, %(date)s") % {"date": date_format(local, "l, j E")},
            body=render_to_string("collab/calendar/morning.txt", context),
            to=[user.email],
            headers={
                "Message-ID": message_id,
                "List-Unsubscribe": f"<{context['choices_url']}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        letter.attach_alternative(render_to_string("collab/calendar/morning.html", context), "text/html")
        return letter
