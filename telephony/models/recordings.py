"""Recordings of calls: fetched from the provider, kept for a time, deleted; and what keeps them longer."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.calls import Call


def stored_name(recording: Recording, filename: str) -> str:
    """Private and always the same: fetching again after a crash leaves no second copy."""
    call = recording.call.uuid.hex
    return f"recordings/{call[:2]}/{call}-{recording.pk}"


class Recording(models.Model):
    """The recording of a call, at the provider's until it has been fetched.

    `content_type`: by what stands at its beginning. `tries`: how often the provider had it not ready. `failure`: why it
    could not be fetched. A purged one keeps its row; its `content` has a name until the file is gone.
    """

    class Fetching(models.TextChoices):
        WAITING = "waiting", _("to be fetched")
        STORED = "stored", _("stored")
        FAILED = "failed", _("could not be fetched")
        PURGED = "purged", _("deleted")

    call = models.ForeignKey(Call, models.CASCADE, related_name="recordings")
    reference = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=Fetching.choices, default=Fetching.WAITING)
    content = models.FileField(upload_to=stored_name, blank=True)
    content_type = models.CharField(max_length=20, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    seconds = models.PositiveIntegerField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    purged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("recording")
        verbose_name_plural = _("recordings")
        constraints = [
            models.UniqueConstraint(fields=["call", "reference"], name="one_recording_per_reference")
        ]
        indexes = [models.Index(fields=["state", "created_at"], name="recordings_by_age")]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_stored(self) -> bool:
        return self.state == self.Fetching.STORED


class RecordingHold(models.Model):
    """The recordings of a call stay whatever their time, until somebody lets go: a dispute, a request of a court."""

    call = models.OneToOneField(Call, models.CASCADE, related_name="recording_hold")
    reason = models.CharField(_("reason"), max_length=300)
    held_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    held_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("hold of recordings")
        verbose_name_plural = _("holds of recordings")

    def __str__(self) -> str:
        return self.reason
