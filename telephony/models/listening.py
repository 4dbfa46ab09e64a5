"""Who listens to a connection: one process at a time, for as long as it keeps its lease."""

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
