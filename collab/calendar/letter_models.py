"""A letter that goes out by e-mail for an activity."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Letter(models.Model):
    """What is sent, to whom (`to`: addresses), and what became of it. Sent, it completes its activity."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being sent")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not sent")
        DOUBTFUL = "doubtful", _("perhaps sent")

    activity = models.ForeignKey("collab_calendar.Activity", models.CASCADE, related_name="letters")
    to = models.JSONField(_("to"))
    subject = models.CharField(_("subject"), max_length=200)
    text = models.TextField(_("text"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        constraints = [
            models.UniqueConstraint(
                fields=["activity"],
                condition=Q(state__in=["waiting", "sent", "doubtful"]),
                name="one_letter_on_its_way",
            )
        ]

    def __str__(self) -> str:
        return self.subject
