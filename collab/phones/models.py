"""The devices that people let read their calendars."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.phones.guest_models import Guest, GuestLetter  # noqa: F401  (the app's other models)


class Scope(models.TextChoices):
    FULL = "full", _("everything I see there")
    BUSY = "busy", _("only when I am busy, without a word of what it is")


class Way(models.TextChoices):
    FEED = "feed", _("it reads: an address to subscribe to")
    ACCOUNT = "account", _("it reads and writes: an account (CalDAV)")


class Device(models.Model):
    """One phone or program with a secret of its own, of which only `digest` is kept.

    What it shows is chosen for a feed, an account has all calendars its owner finds. `stamp` names what a feed was
    given last, `changed_at` says since when it is that.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_devices")
    name = models.CharField(_("name"), max_length=60)
    way = models.CharField(_("what it does"), max_length=7, choices=Way.choices, default=Way.FEED)
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


class PhoneEntry(models.Model):
    """What a phone knows of an activity beyond what that says itself.

    `name` and `uid`: how the phone calls it in the calendar of `owner`. `extra`: content lines of RFC 5545 that we do
    not read and give back; `revised_at`: since when they are these.
    """

    activity = models.OneToOneField(
        "collab_calendar.Activity", models.CASCADE, related_name="phone_entry", editable=False
    )
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", editable=False)
    name = models.CharField(max_length=255, editable=False)
    uid = models.CharField(max_length=255, editable=False)
    extra = models.TextField(blank=True, editable=False)
    revised_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("entry of a phone")
        verbose_name_plural = _("entries of phones")
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_phone_entry_of_a_name"),
            models.UniqueConstraint(fields=["owner", "uid"], name="one_phone_entry_of_a_uid"),
        ]

    def __str__(self) -> str:
        return self.name


class SyncState(models.Model):
    """What a device was told of a calendar (`etags` by name), so that the next time it is told the difference."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="states", editable=False)
    calendar = models.CharField(max_length=40, editable=False)
    token = models.CharField(max_length=64, editable=False)
    etags = models.JSONField(editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("state of a device")
        verbose_name_plural = _("states of devices")
        constraints = [
            models.UniqueConstraint(fields=["device", "calendar", "token"], name="one_state_of_a_token")
        ]

    def __str__(self) -> str:
        return self.token
