"""What an administrator decides about all deals."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from deals.patterns import LENGTH, validate_pattern


class AmountBasis(models.TextChoices):
    NET = "net", _("without tax")
    GROSS = "gross", _("with tax")


class DealSettings(models.Model):
    """The one row of settings; `DealSettings.read()` is how it is asked for."""

    amount_basis = models.CharField(
        _("amount of a deal with lines"),
        max_length=5,
        choices=AmountBasis.choices,
        default=AmountBasis.NET,
        help_text=_("Holds for every deal from the next change of its lines on."),
    )

    won_needs_reason = models.BooleanField(_("winning a deal needs a reason"), default=False)
    postponed_needs_reason = models.BooleanField(_("postponing a deal needs a reason"), default=False)

    number_pattern = models.CharField(
        _("pattern of numbers"),
        max_length=LENGTH,
        default="{year}/{number:5}",
        validators=[validate_pattern],
        help_text=_(
            "{number:5} is the number with at least five digits; with {year} or {month} it begins anew. "
            "Deals that are there keep their numbers. A type of deals may have a pattern of its own."
        ),
    )

    class Meta:
        verbose_name = _("settings of deals")
        verbose_name_plural = _("settings of deals")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_row_of_deal_settings"),
        ]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    def needs_reason(self, status: str) -> bool:
        return {"won": self.won_needs_reason, "postponed": self.postponed_needs_reason}.get(status, False)

    @classmethod
    def read(cls) -> DealSettings:
        """The settings, the usual ones where nobody has decided anything."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)


class NumberCounter(models.Model):
    """The last number that was taken between two texts. `deals.numbering` alone writes it."""

    before = models.CharField(max_length=LENGTH, blank=True)
    after = models.CharField(max_length=LENGTH, blank=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["before", "after"], name="one_counter_of_a_pattern")]
