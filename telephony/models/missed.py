"""Calls that nobody answered, and numbers that became leads."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.calls import Call


class MissedCall(models.Model):
    """What becomes of one missed call, once. After a while without anybody reaching the number it is `activity`."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("just missed")
        PLANNED = "planned", _("to be called back")
        REACHED = "reached", _("spoken with since")

    call = models.OneToOneField(Call, models.CASCADE, related_name="missed")
    status = models.CharField(_("state"), max_length=8, choices=Status.choices, default=Status.WAITING)
    activity = models.ForeignKey(
        "collab_calendar.Activity", models.SET_NULL, null=True, related_name="+", verbose_name=_("activity")
    )
    reached_by = models.ForeignKey(Call, models.SET_NULL, null=True, related_name="+")
    escalated_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("missed call")
        verbose_name_plural = _("missed calls")

    def __str__(self) -> str:
        return str(self.call)


class NumberLead(models.Model):
    """The one open lead that a number nobody knew has become."""

    number = models.CharField(max_length=20, unique=True)
    lead = models.ForeignKey("leads.Lead", models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("lead of a number")
        verbose_name_plural = _("leads of numbers")

    def __str__(self) -> str:
        return self.number
