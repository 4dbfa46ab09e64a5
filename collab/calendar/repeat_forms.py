"""How often something repeats, as fields of a form, and which occurrences a change is meant for."""

from __future__ import annotations

import json
from datetime import datetime

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from collab.calendar.local_time import local_of
from collab.calendar.moments import MomentField
from collab.calendar.recurrence import (
    LONGEST_INTERVAL,
    MOST_TIMES,
    WORKING_DAYS,
    Rule,
    check_rule,
    check_span,
    nth_in_month,
)
from collab.calendar.rule_words import WEEKDAYS, in_words
from collab.calendar.series_models import Series
from collab.calendar.series_services import Scope
from crm.attributes.forms import DateInput

NEVER, TIMES, DAY = "never", "times", "day"
HOW = [
    ("", _("Does not repeat")), ("daily", _("Daily")), ("working", _("Every working day (Monday to Friday)")),
    ("weekly", _("Weekly, on chosen days")), ("monthly", _("Monthly, on this day of the month")),
    ("nth", _("Monthly, on this weekday (such as the 2nd Tuesday)")),
    ("last", _("Monthly, on the last such weekday")), ("last_day", _("Monthly, on the last day")),
    ("yearly", _("Yearly, on this date")),
]  # fmt: skip
SPACED = [key for key, _label in HOW if key not in {"", "working"}]


def _only_if(field: forms.Field, name: str, *values: str) -> forms.Field:
    """Shown while the field `name` has one of the values."""
    field.shown_if, field.shown_if_values = name, json.dumps(values)
    return field


class RepeatMixin(forms.Form):
    """`rule` is what the fields say once the form is valid, None for what does not repeat.

    A form with it has `starts_at`; `series` is the one that is being changed.
    """

    rule: Rule | None = None
    series: Series | None = None

    repeat = forms.ChoiceField(label=_("Repeat"), choices=HOW, required=False)
    repeat_every = _only_if(
        forms.IntegerField(
            label=_("Every … (days, weeks, months, years)"), min_value=1, max_value=LONGEST_INTERVAL, required=False
        ),
        "repeat", *SPACED,
    )  # fmt: skip
    repeat_days = _only_if(
        forms.TypedMultipleChoiceField(
            label=_("On"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
            choices=lambda: [(day, capfirst(str(name))) for day, name in enumerate(WEEKDAYS)],
        ),
        "repeat", "weekly",
    )  # fmt: skip
    repeat_ends = _only_if(
        forms.ChoiceField(
            label=_("Ends"), required=False,
            choices=[(NEVER, _("never")), (TIMES, _("after a number of times")), (DAY, _("on a day"))],
        ),
        "repeat", *(key for key, _label in HOW if key),
    )  # fmt: skip
    repeat_times = _only_if(
        forms.IntegerField(label=_("How many times"), min_value=1, max_value=MOST_TIMES, required=False),
        "repeat_ends", TIMES,
    )  # fmt: skip
    repeat_until = _only_if(
        forms.DateField(label=_("Last day it may happen"), required=False, widget=DateInput()), "repeat_ends", DAY
    )  # fmt: skip

    def show_rule(self, series: Series | None) -> None:
        """Fills the fields from a series; without one for something new."""
        self.series = series
        self.initial.setdefault("repeat_every", 1)
        self.initial.setdefault("repeat_ends", NEVER)
        if series is None:
            return
        pattern = series.pattern
        self.fields["repeat"].choices = HOW[1:]
        self.initial |= {
            "repeat": _how(pattern), "repeat_every": pattern.interval, "repeat_days": list(pattern.weekdays),
            "repeat_ends": TIMES if pattern.count else DAY if pattern.until else NEVER,
            "repeat_times": pattern.count, "repeat_until": pattern.until,
        }  # fmt: skip

    def clean(self):
        cleaned = super().clean()
        start = cleaned.get("starts_at")
        if not cleaned.get("repeat") or start is None or self.errors.keys() & set(RepeatMixin.base_fields):
            return cleaned
        zone = self.series.zone if self.series else timezone.get_current_timezone()
        local = local_of(start, zone)
        try:
            rule = _rule(cleaned, local)
            check_rule(rule)
            if self.series is None or rule != self.series.pattern:
                check_span(rule, local, local_of(timezone.now(), zone).date())
        except ValidationError as error:
            self.add_error(None if hasattr(error, "error_dict") else "repeat", error)
            return cleaned
        self.rule = rule
        return cleaned

    def new_rule(self) -> Rule | None:
        """The rule where it is not the one the series has."""
        return self.rule if self.series is None or self.rule != self.series.pattern else None


def _rule(cleaned: dict, start: datetime) -> Rule:
    how, every = cleaned["repeat"], cleaned.get("repeat_every") or 1
    ends = cleaned.get("repeat_ends")
    if ends == TIMES and not cleaned.get("repeat_times"):
        raise ValidationError({"repeat_times": _("Say how many times.")})
    if ends == DAY and not cleaned.get("repeat_until"):
        raise ValidationError({"repeat_until": _("Say on which day it ends.")})
    end = {"count": cleaned["repeat_times"]} if ends == TIMES else {}
    end = {"until": cleaned["repeat_until"]} if ends == DAY else end
    weekday = start.weekday()
    if how == "working":
        return Rule("WEEKLY", weekdays=WORKING_DAYS, **end)
    if how == "weekly":
        days = tuple(sorted(cleaned.get("repeat_days") or [weekday]))
        return Rule("WEEKLY", every, weekdays=days, **end)
    by_month = {
        "monthly": {"month_days": (start.day,)}, "last_day": {"month_days": (-1,)}, "last": {"nth": ((-1, weekday),)},
        "nth": {"nth": ((nth_in_month(start.date()), weekday),)},
    }  # fmt: skip
    if how in by_month:
        return Rule("MONTHLY", every, **by_month[how], **end)
    return Rule("DAILY" if how == "daily" else "YEARLY", every, **end)


def _how(rule: Rule) -> str:
    if rule.frequency == "WEEKLY":
        return "working" if rule.weekdays == WORKING_DAYS and rule.interval == 1 else "weekly"
    if rule.nth:
        return "last" if rule.nth[0][0] < 0 else "nth"
    if rule.month_days:
        return "last_day" if rule.month_days[0] < 0 else "monthly"
    return {"DAILY": "daily", "MONTHLY": "monthly"}.get(rule.frequency, "yearly")


class RepetitionForm(RepeatMixin):
    """The fields alone, while they are being filled in."""

    starts_at = MomentField()

    def sentence(self) -> str:
        """What the fields say; empty for what does not repeat. The form is valid."""
        if self.rule is None:
            return ""
        zone = timezone.get_current_timezone()
        return in_words(self.rule, self.rule.first_from(local_of(self.cleaned_data["starts_at"], zone)))

    def first(self) -> datetime:
        """The first time from the chosen one on that fits, by the reader's clock."""
        return self.rule.first_from(local_of(self.cleaned_data["starts_at"], timezone.get_current_timezone()))


class ScopeMixin(forms.Form):
    """Which occurrences are meant; without a series nothing is asked."""

    scope = forms.ChoiceField(
        label=_("It repeats. Change"), choices=Scope.choices, widget=forms.RadioSelect, required=False
    )

    def ask_scope(self, series: Series | None) -> None:
        if series is None:
            del self.fields["scope"]
        else:
            self.initial.setdefault("scope", Scope.ONE)

    def chosen_scope(self) -> str:
        return self.cleaned_data.get("scope") or Scope.ONE


class DeletionForm(ScopeMixin):
    """Deletes one, it and those after it, or all that is open."""

    def __init__(self, *args, series: Series | None, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_scope(series)
        if series is not None:
            self.fields["scope"].label = _("It repeats. Delete")
