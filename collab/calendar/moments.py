"""Local date and time as people type it, safe on the two days a year when the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

WIDGET_FORMAT = "%Y-%m-%dT%H:%M"
FIRST_HOUR = time(9)


class MomentInput(forms.DateTimeInput):
    """The browser's own picker; its value is always ISO, whatever the reader's language."""

    input_type = "datetime-local"

    def __init__(self, attrs=None):
        super().__init__({"step": 300, **(attrs or {})}, format=WIDGET_FORMAT)


class HiddenMoment(MomentInput):
    input_type = "hidden"


class MomentField(forms.DateTimeField):
    """A moment in the reader's zone. A time that the clocks skip is refused; of a doubled one the first is meant."""

    widget = MomentInput
    default_error_messages = {
        "invalid": _("Enter a date and a time."),
        "skipped": _("The clocks go forward over that time: choose one an hour later."),
    }

    def __init__(self, **kwargs):
        kwargs.setdefault(
            "input_formats", [WIDGET_FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"]
        )
        super().__init__(**kwargs)

    def to_python(self, value):
        if value in self.empty_values:
            return None
        if isinstance(value, datetime) and timezone.is_aware(value):
            return value
        naive = value if isinstance(value, datetime) else forms.Field.to_python(self, self._read(value))
        return self._localised(naive)

    def _read(self, value) -> datetime:
        for pattern in self.input_formats:
            try:
                return self.strptime(str(value).strip(), pattern)
            except (ValueError, TypeError):
                continue
        raise ValidationError(self.error_messages["invalid"], code="invalid")

    def _localised(self, naive: datetime) -> datetime:
        if not 1971 <= naive.year <= 2100:
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        zone = timezone.get_current_timezone()
        moment = naive.replace(tzinfo=zone, fold=0)
        there_and_back = datetime.fromtimestamp(moment.timestamp(), zone)
        if there_and_back.replace(tzinfo=None) != naive:
            raise ValidationError(self.error_messages["skipped"], code="skipped")
        # Two zones never compare equal in the doubled hour; UTC always does.
        return moment.astimezone(UTC)


def same_reading(moment: datetime | None, other: datetime | None) -> bool:
    """Whether both read the same on the reader's clock: an untouched field in the doubled hour must not move."""
    if moment is None or other is None:
        return moment is other
    return _reading(moment) == _reading(other)


def _reading(moment: datetime) -> datetime:
    return timezone.localtime(moment).replace(tzinfo=None, second=0, microsecond=0)


def local_midnight(moment: datetime, days: int = 0) -> datetime:
    """The start of the reader's day of `moment`, or of a day after it."""
    day = timezone.localtime(moment).date() + timedelta(days=days)
    return datetime.combine(day, time.min, timezone.get_current_timezone()).astimezone(UTC)


def next_full_hour(now: datetime | None = None) -> datetime:
    now = timezone.localtime(now)
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def next_working_morning(now: datetime | None = None) -> datetime:
    """Nine o'clock of the next day that is not a Saturday or a Sunday."""
    day = timezone.localtime(now).date() + timedelta(days=1)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return datetime.combine(day, FIRST_HOUR, timezone.get_current_timezone())
