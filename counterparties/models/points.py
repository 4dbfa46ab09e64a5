"""Ways to reach somebody beyond the first, indexed; and whether he agreed to be reached that way."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class ContactPoint(models.Model):
    """A further phone (E.164) or e-mail of a record. The first of each stands in the record's own indexed column.

    Derived from the record's `phones` and `emails`, with which it is written.
    """

    channel = models.CharField(max_length=5)
    value = models.CharField(max_length=254)
    record_kind = models.CharField(max_length=60)
    record_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["record_kind", "record_id", "channel", "value"], name="point_once_on_a_record"
            )
        ]
        indexes = [
            models.Index(fields=["channel", "value", "record_kind", "record_id"], name="points_by_value")
        ]


class ConsentQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> ConsentQuerySet:
        """With the contact."""
        from counterparties.models.records import Contact

        return self.filter(contact__in=Contact.objects.visible_to(user, action))


class Consent(models.Model):
    """A contact agreed to be reached through a channel, or asked not to be. Append-only: the latest of a channel holds.

    `source`: where and how it was said, such as a form's name; `given_on`: when.
    """

    class Channel(models.TextChoices):
        PHONE = "phone", _("telephone")
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("text message")
        POST = "post", _("post")

    class State(models.TextChoices):
        GIVEN = "given", _("agreed")
        REFUSED = "refused", _("does not wish it")

    contact = models.ForeignKey(
        "counterparties.Contact", models.CASCADE, related_name="consents", verbose_name=_("contact")
    )
    channel = models.CharField(_("channel"), max_length=5, choices=Channel.choices)
    state = models.CharField(_("what was said"), max_length=7, choices=State.choices)
    given_on = models.DateField(_("on"), default=timezone.localdate)
    source = models.CharField(_("source"), max_length=200)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-id"]
        indexes = [models.Index(fields=["contact", "channel", "-id"], name="consents_of_contact")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_state_display()}"
