"""A rule of repetition as a plain sentence in the reader's language."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from collab.calendar.recurrence import WORKING_DAYS, Frequency, Rule

WEEKDAYS = (
    pgettext_lazy("in a sentence", "Monday"), pgettext_lazy("in a sentence", "Tuesday"),
    pgettext_lazy("in a sentence", "Wednesday"), pgettext_lazy("in a sentence", "Thursday"),
    pgettext_lazy("in a sentence", "Friday"), pgettext_lazy("in a sentence", "Saturday"),
    pgettext_lazy("in a sentence", "Sunday"),
)  # fmt: skip
_LAST = (
    gettext_lazy("the last Monday"), gettext_lazy("the last Tuesday"), gettext_lazy("the last Wednesday"),
    gettext_lazy("the last Thursday"), gettext_lazy("the last Friday"), gettext_lazy("the last Saturday"),
    gettext_lazy("the last Sunday"),
)  # fmt: skip
_NTH = {
    1: gettext_lazy("the 1st %(day)s"), 2: gettext_lazy("the 2nd %(day)s"), 3: gettext_lazy("the 3rd %(day)s"),
    4: gettext_lazy("the 4th %(day)s"), 5: gettext_lazy("the 5th %(day)s"),
}  # fmt: skip


def in_words(rule: Rule, start: datetime) -> str:
    """“every 2 weeks on Monday and Friday, until 24 Dec 2026”; `start` is the series' first time."""
    return _how_often(rule, start) + _how_long(rule)


def _how_often(rule: Rule, start: datetime) -> str:
    count = {"count": rule.interval}
    if rule.frequency == Frequency.DAILY:
        text = ngettext("every %(count)s day", "every %(count)s days", rule.interval)
        return text % count if rule.interval > 1 else _("every day")
    if rule.frequency == Frequency.WEEKLY:
        days = rule.weekdays or (start.weekday(),)
        if days == WORKING_DAYS and rule.interval == 1:
            return _("every working day")
        text = ngettext("every week on %(days)s", "every %(count)s weeks on %(days)s", rule.interval)
        return text % {**count, "days": _listed([str(WEEKDAYS[day]) for day in days])}
    if rule.frequency == Frequency.MONTHLY:
        text = ngettext("every month on %(days)s", "every %(count)s months on %(days)s", rule.interval)
        return text % {**count, "days": _listed(_days_of_month(rule, start))}
    return _yearly(rule, start)


def _yearly(rule: Rule, start: datetime) -> str:
    text = ngettext("every year on %(day)s", "every %(count)s years on %(day)s", rule.interval)
    said = text % {"count": rule.interval, "day": date_format(start, "MONTH_DAY_FORMAT")}
    return _("%(rule)s (in leap years)") % {"rule": said} if (start.month, start.day) == (2, 29) else said


def _days_of_month(rule: Rule, start: datetime) -> list[str]:
    if rule.nth:
        return [
            str(_LAST[day]) if which < 0 else str(_NTH[which]) % {"day": WEEKDAYS[day]}
            for which, day in rule.nth
        ]
    days = rule.month_days or (start.day,)
    return [_("the last day") if day < 0 else _("day %(day)s") % {"day": day} for day in days]


def _how_long(rule: Rule) -> str:
    if rule.count is not None:
        return ngettext(", %(count)s time", ", %(count)s times", rule.count) % {"count": rule.count}
    if rule.until is not None:
        return _(", until %(day)s") % {"day": date_format(rule.until, "SHORT_DATE_FORMAT")}
    return ""


def _listed(words: list[str]) -> str:
    return get_text_list(words, _("and"))
