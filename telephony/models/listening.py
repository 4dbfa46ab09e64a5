"""Who listens to a connection, and what its address refused."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from telephony.models.connections import Connection


class ListenerLease(models.Model):
    """Held by the process that bears `token`, until `until`; whoever comes later waits for that."""

    connection = models.OneToOneField(Connection, models.CASCADE, related_name="lease")
    token = models.UUIDField()
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("listener")
        verbose_name_plural = _("listeners")

    def __str__(self) -> str:
        return str(self.connection_id)


class Refusal(models.Model):
    """How many posts to a connection's address were refused within an hour, and why."""

    class Kind(models.TextChoices):
        FORGED = "forged", _("wrong signature")
        STALE = "stale", _("signed too long ago, or the clocks differ")
        MALFORMED = "malformed", _("not understood")
        UNREADY = "unready", _("the connection is not set up completely")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="refusals")
    hour = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("refused post")
        verbose_name_plural = _("refused posts")
        constraints = [
            models.UniqueConstraint(fields=["connection", "hour", "kind"], name="one_refusal_per_hour")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.count}"
