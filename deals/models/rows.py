"""The rows that hang on a deal: its lines, its competitors. `deals.parts` writes them."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.money.fields import NOT_NEGATIVE, MoneyField
from deals.models.products import Product, TaxRate
from deals.models.reasons import Competitor
from deals.models.records import Deal


class DealLine(models.Model):
    """A product or a free text, how many, for how much. `net` and `tax` are derived: see `deals.sums`."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="lines")
    product = models.ForeignKey(
        Product, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("product")
    )
    name = models.CharField(_("product or text"), max_length=200)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    quantity = models.DecimalField(
        _("quantity"),
        max_digits=12,
        decimal_places=3,
        default=1,
        validators=[MinValueValidator(Decimal("0.001"), _("The quantity is more than 0."))],
    )
    unit_price = MoneyField(_("unit price"), validators=NOT_NEGATIVE)
    discount = models.DecimalField(
        _("discount in per cent"),
        max_digits=5,
        decimal_places=2,
        default=0,
        blank=True,
        validators=[
            MinValueValidator(Decimal(0), _("A discount is between 0 and 100 per cent.")),
            MaxValueValidator(Decimal(100), _("A discount is between 0 and 100 per cent.")),
        ],
    )
    tax_rate = models.ForeignKey(
        TaxRate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tax rate")
    )
    tax_percent = models.DecimalField(max_digits=5, decimal_places=2, default=0, editable=False)
    net = MoneyField(_("without tax"), default=0, editable=False)
    tax = MoneyField(_("tax"), default=0, editable=False)

    class Meta:
        verbose_name = _("line")
        verbose_name_plural = _("lines")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_has_a_quantity"),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=100), name="discount_is_a_percentage"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


class DealCompetitor(models.Model):
    """Whom the deal is up against, and whether they got it."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="competitors")
    competitor = models.ForeignKey(Competitor, models.PROTECT, related_name="+", verbose_name=_("competitor"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    has_won = models.BooleanField(_("won it"), default=False)

    class Meta:
        verbose_name = _("competitor of a deal")
        verbose_name_plural = _("competitors of deals")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["deal", "competitor"], name="competitor_once_on_a_deal")
        ]

    def __str__(self) -> str:
        return str(self.competitor)
