"""Templates of quotes, which an administrator writes."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named
from deals.placeholders import find_faults


def validate_placeholders(text: str) -> None:
    """Raises ValidationError naming each placeholder that is not known."""
    if faults := find_faults(text):
        raise ValidationError(faults)


class QuoteTemplate(Named):
    """What stands around the lines of a quote; `{counterparty.name}` and the like are filled in."""

    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=200, validators=[validate_placeholders])
    opening = models.TextField(
        _("text before the lines"), blank=True, max_length=10_000, validators=[validate_placeholders]
    )
    closing = models.TextField(
        _("text after the lines"), blank=True, max_length=10_000, validators=[validate_placeholders]
    )
    valid_days = models.PositiveSmallIntegerField(
        _("days it is valid"), default=30, validators=[MaxValueValidator(3650)]
    )
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("template of quotes")
        verbose_name_plural = _("templates of quotes")
        ordering = ["position", "id"]
