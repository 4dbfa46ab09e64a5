"""The devices that people let read their calendars."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    FULL = "full", _("everything I see there")
    BUSY = "busy", _("only when I am busy, without a word of what it is")


class Device(models.Model):
    """One phone or program with a secret of its own, of which only `digest` is kept.

    `stamp` names what it was given last, `changed_at` says since when it is that.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_devices")
    name = models.CharField(_("name"), max_length=60)
    scope = models.CharField(_("what it shows"), max_length=4, choices=Scope.choices, default=Scope.FULL)
    with_activities = models.BooleanField(_("calls, meetings, letters"), default=True)
    with_deadlines = models.BooleanField(_("deadlines: close dates, payments, tasks"), default=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    stamp = models.CharField(max_length=64, blank=True, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(with_activities=True) | Q(with_deadlines=True), name="device_shows_something"
            )
        ]
        indexes = [
            models.Index(fields=["owner"], condition=Q(revoked_at=None), name="device_of_owner"),
        ]

    def __str__(self) -> str:
        return self.name
