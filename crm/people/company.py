"""The company that works here: one row, made of the environment's values until somebody changes the settings.

    company().currency

Every page asks, so a process remembers the row for some seconds; who changes it calls `forget_company()`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from crm.people.time_zones import validate_time_zone

REMEMBERED_SECONDS = 5.0
ONLY = 1


class Company(models.Model):
    """Name and address of the company, and what is taken for granted where a record or a person says nothing else."""

    name = models.CharField(_("name"), max_length=120)
    tax_number = models.CharField(_("tax number"), max_length=20, blank=True)
    address = models.CharField(_("street and number"), max_length=200, blank=True)
    postal_code = models.CharField(_("postal code"), max_length=12, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    country = models.CharField(
        _("country"), max_length=2, validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters."))]
    )
    currency = models.CharField(
        _("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters."))]
    )
    time_zone = models.CharField(_("time zone"), max_length=64, validators=[validate_time_zone])
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("company")
        constraints = [models.CheckConstraint(condition=Q(pk=ONLY), name="one_company")]

    def __str__(self) -> str:
        return self.name

    @property
    def postal_line(self) -> str:
        """Name, address and tax number, as they stand under letters."""
        town = " ".join(part for part in (self.postal_code, self.city) if part)
        number = f"{_('Tax number')}: {self.tax_number}" if self.tax_number else ""
        return ", ".join(part for part in (self.name, self.address, town, number) if part)


def company_of_environment() -> Company:
    """What the environment says: the values of an installation whose settings nobody has changed yet."""
    return Company(
        pk=ONLY,
        name=settings.CRM_COMPANY,
        country=settings.CRM_COUNTRY,
        currency=settings.CRM_CURRENCY,
        time_zone=settings.TIME_ZONE,
        language=settings.LANGUAGE_CODE,
    )


_remembered: tuple[Company, float] | None = None


def company() -> Company:
    """The company, to be read only (`crm.web.company` changes it). One query every REMEMBERED_SECONDS at most."""
    known = _remembered
    if known is None or known[1] < time.monotonic():
        known = remember_company(Company.objects.first() or company_of_environment(), REMEMBERED_SECONDS)
    return known[0]


def remember_company(found: Company, seconds: float) -> tuple[Company, float]:
    """This process takes the company as `found` for so long."""
    global _remembered
    _remembered = found, time.monotonic() + seconds
    return _remembered


def forget_company() -> None:
    """This process reads the company anew when it is asked for next."""
    global _remembered
    _remembered = None


@contextmanager
def surroundings_of(user) -> Iterator[None]:
    """How a job runs: in the company's zone, its texts in the language of the person it works for, if there is one."""
    language = getattr(user, "language", "") or company_language()
    with translation.override(language), timezone.override(ZoneInfo(company_time_zone())):
        yield


def company_country() -> str:
    """The country that telephone, tax and account numbers without one belong to."""
    return company().country


def company_time_zone() -> str:
    """The zone of people who have not chosen another."""
    return company().time_zone


def company_language() -> str:
    """The language of people who have not chosen another."""
    return company().language
