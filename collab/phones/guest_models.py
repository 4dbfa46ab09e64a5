"""People outside who are invited to a meeting by e-mail, and what they answered."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _


def new_nonce() -> str:
    return secrets.token_hex(16)


class GuestLetter(models.Model):
    """What the guests of an activity are told: its title and a text for them, neither of them our own notes."""

    activity = models.OneToOneField(
        "collab_calendar.Activity", models.CASCADE, related_name="guest_letter", editable=False
    )
    title = models.CharField(_("title for the guests"), max_length=200)
    text = models.TextField(_("text"), blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="pl")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)

    class Meta:
        verbose_name = _("invitation of guests")
        verbose_name_plural = _("invitations of guests")

    def __str__(self) -> str:
        return self.title


class Answer(models.TextChoices):
    NONE = "none", _("no answer yet")
    ACCEPTED = "accepted", _("comes")
    TENTATIVE = "tentative", _("perhaps")
    DECLINED = "declined", _("does not come")


class Guest(models.Model):
    """`told`: a fingerprint of what the last letter said, `sequence` its number; `seen_version`: of the activity,
    up to which changes were looked at. Once `withdrawn_at` is set he gets one last letter. `nonce` makes his link.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        DOUBTFUL = "doubtful", _("perhaps sent")

    letter = models.ForeignKey(GuestLetter, models.CASCADE, related_name="guests", editable=False)
    name = models.CharField(_("name"), max_length=200, blank=True)
    email = models.EmailField(_("e-mail"))
    nonce = models.CharField(max_length=32, default=new_nonce, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    told = models.CharField(max_length=64, blank=True, editable=False)
    seen_version = models.PositiveIntegerField(default=0, editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, editable=False)
    answer = models.CharField(max_length=10, choices=Answer.choices, default=Answer.NONE, editable=False)
    answered_at = models.DateTimeField(null=True, editable=False)
    invited_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("guest")
        verbose_name_plural = _("guests")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "email"], condition=Q(withdrawn_at=None), name="one_guest_of_an_address"
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def token(self) -> str:
        """What stands in his link."""
        return f"{self.pk}-{seal_of(self)}"


def seal_of(guest: Guest) -> str:
    return salted_hmac("collab.phones.guest", f"{guest.pk}:{guest.nonce}", algorithm="sha256").hexdigest()
