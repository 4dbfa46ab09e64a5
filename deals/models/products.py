"""What is sold: products, tax rates, and price lists with dates."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.money.fields import NOT_NEGATIVE, MoneyField
from crm.people.folding import sort_key
from crm.people.names import Named, localised
from crm.people.search import Searchable
from crm.people.visibility import OwnedRecord


class TaxRate(Named):
    """A rate of the tax on sales. Lines keep the percentage they were written with."""

    percent = models.DecimalField(
        _("per cent"),
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    is_default = models.BooleanField(_("default"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_tax_rate"
            )
        ]


class Product(Searchable, OwnedRecord):
    """Something the company sells. The whole company reads the catalogue; roles say who keeps it."""

    code = models.CharField(_("code"), max_length=40, null=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    name_pl = models.CharField(_("name in Polish"), max_length=200, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    tax_rate = models.ForeignKey(
        TaxRate, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tax rate")
    )
    is_active = models.BooleanField(_("offered"), default=True)
    note = models.TextField(_("description"), blank=True, max_length=5000)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        indexes = [models.Index(fields=["sort_key", "id"], name="products_by_name")]
        constraints = [
            models.UniqueConstraint(
                fields=["code"], condition=Q(deleted_at=None), name="one_product_of_a_code",
                violation_error_message=_("Another product has this code already."),
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return localised(self.name, self.name_pl)

    def searchable_parts(self) -> list[str]:
        return [self.name, self.name_pl, self.code or ""]

    def refresh_search(self) -> None:
        """The catalogue has one order, whoever saved the product and in whichever language."""
        super().refresh_search()
        self.sort_key = sort_key(self.name)[:200]


class PriceList(Named):
    """Prices without tax in one currency, good from one day to another."""

    currency = models.ForeignKey(
        "money.Currency", models.PROTECT, related_name="+", verbose_name=_("currency")
    )
    valid_from = models.DateField(_("from"), null=True, blank=True)
    valid_to = models.DateField(_("to"), null=True, blank=True)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_to__gte=F("valid_from")) | Q(valid_from=None) | Q(valid_to=None),
                name="price_list_ends_after_it_begins",
            )
        ]

    def clean(self) -> None:
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValidationError({"valid_to": _("The last day is before the first.")})


class Price(models.Model):
    """What one unit of a product costs on a price list, without tax."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="prices", verbose_name=_("product"))
    price_list = models.ForeignKey(
        PriceList, models.CASCADE, related_name="prices", verbose_name=_("price list")
    )
    amount = MoneyField(_("price"), validators=NOT_NEGATIVE)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [
            models.UniqueConstraint(fields=["product", "price_list"], name="one_price_of_a_product_on_a_list")
        ]
