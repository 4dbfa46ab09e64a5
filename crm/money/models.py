"""Currencies and their dated rates to the company's currency."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from crm.people.company import company
from crm.people.names import Named

MILLION = 1_000_000


class Currency(Named):
    code = models.CharField(
        _("code"),
        max_length=3,
        primary_key=True,
        validators=[RegexValidator(r"^[A-Z]{3}$", _("Three capital letters."))],
    )
    symbol = models.CharField(_("symbol"), max_length=8, blank=True)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


class Rate(models.Model):
    """How many millionths of the company's currency one unit was worth from `date` on."""

    currency = models.ForeignKey(Currency, models.CASCADE, related_name="rates", verbose_name=_("currency"))
    date = models.DateField(_("from"))
    millionths = models.BigIntegerField(_("rate in millionths"), validators=[MinValueValidator(1)])

    class Meta:
        verbose_name = _("rate")
        verbose_name_plural = _("rates")
        ordering = ["currency", "-date"]
        constraints = [models.UniqueConstraint(fields=["currency", "date"], name="one_rate_a_day")]

    def __str__(self) -> str:
        return f"{self.currency_id} {self.date}"

    @property
    def value(self) -> Decimal:
        """What one unit is worth."""
        return Decimal(self.millionths) / MILLION

    @property
    def shown(self) -> str:
        """The same as people read it, without idle zeros."""
        return show_rate(self.millionths)


class RateChange(models.Model):
    """A rate was written, over another one or for the first time, or removed: who did it and when. Never changed.

    `old` and `new` are in millionths; None where there was no rate, or is none any more.
    """

    currency = models.ForeignKey(Currency, models.CASCADE, related_name="+")
    date = models.DateField()
    old = models.BigIntegerField(null=True)
    new = models.BigIntegerField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["currency", "-id"], name="rate_changes_of_currency")]

    @property
    def old_shown(self) -> str:
        return show_rate(self.old)

    @property
    def new_shown(self) -> str:
        return show_rate(self.new)


def show_rate(millionths: int | None) -> str:
    """A rate as people read it, empty for none."""
    if millionths is None:
        return ""
    return number_format((Decimal(millionths) / MILLION).normalize(), use_l10n=True)


def default_currency() -> str:
    """The company's own currency."""
    return company().currency
