"""What a wall clock shows, without a zone: how a repeating activity says when it begins."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.company import company_time_zone


class LocalTimeField(models.CharField):
    """A naive `datetime`, kept as ISO text: it sorts as it reads, and no database shifts it into another zone."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("max_length", 19)
        super().__init__(*args, **kwargs)

    def from_db_value(self, value, expression, connection):
        return None if value is None else datetime.fromisoformat(value)

    def to_python(self, value):
        if value is None or isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            raise ValidationError(_("Enter a date and a time."), code="invalid")

    def get_prep_value(self, value):
        return (
            None if value is None else self.to_python(value).replace(microsecond=0, tzinfo=None).isoformat()
        )

    def run_validators(self, value):
        super().run_validators(self.get_prep_value(value) or "")

    def value_to_string(self, obj):
        return self.get_prep_value(self.value_from_object(obj))


def zone_named(name: str) -> ZoneInfo:
    """The zone; the company's own where the time-zone database does not know the name (any more)."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(company_time_zone())


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which clocks of the zone show `local`.

    A time that the clocks skip is moved on by what they skip; of a doubled one the first is meant.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """What clocks of the zone show at the moment."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)
