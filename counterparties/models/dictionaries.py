"""What an administrator prepares: types of counterparties, industries, regions."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named


class CounterpartyType(Named):
    """A schema of counterparties, with attributes of its own. `is_person`: its counterparties are private persons."""

    key = models.SlugField(_("key"), max_length=40, unique=True)
    icon = models.CharField(_("icon"), max_length=40, default="building")
    attribute_set = models.OneToOneField(
        "attributes.AttributeSet",
        models.PROTECT,
        related_name="+",
        verbose_name=_("attributes"),
        editable=False,
    )
    is_person = models.BooleanField(_("private person"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("counterparty type")
        verbose_name_plural = _("counterparty types")
        ordering = ["position", "id"]


class Industry(Named):
    """What a counterparty lives by."""

    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("industry")
        verbose_name_plural = _("industries")
        ordering = ["position", "id"]


class Region(Named):
    """A part of a country, as sales are divided."""

    country = models.CharField(
        _("country"),
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, such as PL."))],
    )
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["position", "id"]
