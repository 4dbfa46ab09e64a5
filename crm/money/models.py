"""Currencies and their dated rates to the company's currency."""

from decimal import Decimal

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from crm.people.company import company
from crm.people.names import Named


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
        return Decimal(self.millionths) / 1_000_000

    @property
    def shown(self) -> str:
        """The same as people read it, without idle zeros."""
        return number_format(self.value.normalize(), use_l10n=True)


def default_currency() -> str:
    """The company's own currency."""
    return company().currency
