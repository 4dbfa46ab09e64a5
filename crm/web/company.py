"""Changing the company's settings, with the history of who changed what."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from crm.history.editing import demand_no_clash, english, field_changes
from crm.history.services import FieldChange, record_event
from crm.money.models import Rate
from crm.money.signals import rates_changed
from crm.people.calendar import Hours, WorkingSpan, show_hours, working_week
from crm.people.company import ONLY, Company, company_of_environment, forget_company
from crm.people.tax_numbers import clean_tax_number

FIELDS = (
    "name", "tax_number", "address", "postal_code", "city", "country", "currency", "time_zone", "language",
)  # fmt: skip
DAY = "hours_{}"


def may_change_company(user) -> bool:
    """Whoever the administration lets change the company."""
    return user.is_active and user.is_staff and user.has_perm("people.change_company")


def present_company() -> Company:
    """The company as it is saved now, of the environment where nothing is saved yet."""
    return Company.objects.filter(pk=ONLY).first() or company_of_environment()


@transaction.atomic
def edit_company(*, values: dict, week: dict[int, Hours], version: int, by) -> bool:
    """Writes fields and working hours ({weekday: spans}, other days stay); False when nothing differs.

    Raises PermissionDenied, EditConflict (the same field was changed since `version`), ValidationError by field.
    """
    if not may_change_company(by):
        raise PermissionDenied
    if unknown := set(values) - set(FIELDS):
        raise ValueError(f"not editable: {sorted(unknown)}")
    if not Company.objects.filter(pk=ONLY).exists():
        Company.objects.bulk_create([company_of_environment()], ignore_conflicts=True)
    fresh = Company.objects.select_for_update().get(pk=ONLY)
    values = _cleaned(fresh, values)
    hours, week = working_week(), {day: spans for day, spans in week.items() if day in WEEKDAYS}
    changes = field_changes(fresh, values) + _changes_of_hours(hours, week)
    if version != fresh.version:
        demand_no_clash(fresh, changes, version, by)
    _write_week({**hours, **week})
    if not changes:
        return False
    _demand_right_rates(fresh, values)
    for name, value in values.items():
        setattr(fresh, name, value)
    fresh.version += 1
    fresh.full_clean(validate_constraints=False)
    fresh.save()
    if "currency" in {change.field for change in changes}:
        rates_changed.send(Company, currency=None, since=None)
    record_event(kind="company_changed", subject=fresh, by=by, changes=changes, version=fresh.version)
    forget_company()
    transaction.on_commit(forget_company)
    return True


def _cleaned(fresh: Company, values: dict) -> dict:
    found = {name: " ".join(str(value).split()) for name, value in values.items()}
    if found.get("tax_number"):
        country = found.get("country", fresh.country)
        try:
            found["tax_number"] = clean_tax_number(found["tax_number"], country).removeprefix(country)
        except ValidationError as error:
            raise ValidationError({"tax_number": error}) from None
    return found


def _changes_of_hours(hours: dict[int, Hours], week: dict[int, Hours]) -> list[FieldChange]:
    changes = []
    for day, spans in sorted(week.items()):
        old, new = show_hours(hours.get(day, [])), show_hours(spans)
        if old != new:
            changes.append(FieldChange(DAY.format(day), english(WEEKDAYS[day]), old, new, old, new))
    return changes


def _write_week(week: dict[int, Hours]) -> None:
    if not any(week.values()):
        raise ValidationError({DAY.format(0): _("At least one day of the week must have working hours.")})
    wanted: set[tuple[int, time, time]] = {(day, *span) for day, spans in week.items() for span in spans}
    present = WorkingSpan.objects.values_list("weekday", "starts", "ends")
    if wanted != set(present):
        WorkingSpan.objects.all().delete()
        WorkingSpan.objects.bulk_create(
            WorkingSpan(weekday=day, starts=starts, ends=ends) for day, starts, ends in sorted(wanted)
        )


def _demand_right_rates(fresh: Company, values: dict) -> None:
    """Rates say what a unit is worth in the company's currency: with another one they would all be wrong."""
    if values.get("currency", fresh.currency) != fresh.currency and Rate.objects.exists():
        text = _("There are exchange rates to %(code)s. Remove them first, then change the currency.")
        raise ValidationError({"currency": text % {"code": fresh.currency}})
