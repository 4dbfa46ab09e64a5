"""Why deals end or wait, and whom they are up against: dictionaries that an administrator keeps."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.people.names import Named


class _Entry(Named):
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        abstract = True
        ordering = ["position", "id"]


class LossReason(_Entry):
    class Meta(_Entry.Meta):
        verbose_name = _("reason of loss")
        verbose_name_plural = _("reasons of loss")


class Outcome(models.TextChoices):
    """What else than a loss has reasons."""

    WON = "won", _("won")
    POSTPONED = "postponed", _("postponed")


class OutcomeReason(_Entry):
    """Why a deal was won, or is set aside. Whether one has to be said is a setting of deals."""

    outcome = models.CharField(_("reason for"), max_length=10, choices=Outcome.choices)

    class Meta(_Entry.Meta):
        verbose_name = _("reason of winning or postponing")
        verbose_name_plural = _("reasons of winning and postponing")
        ordering = ["outcome", "position", "id"]


class Competitor(_Entry):
    class Meta(_Entry.Meta):
        verbose_name = _("competitor")
        verbose_name_plural = _("competitors")
