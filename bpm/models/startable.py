"""Which processes may be started by hand on cards of one type; an administrator says so on the type's page."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from bpm.models.definitions import ProcessDefinition


class StartableProcess(models.Model):
    """A process that may be started on counterparties of a type. A type without any row allows all that are offered."""

    counterparty_type = models.ForeignKey(
        "counterparties.CounterpartyType",
        models.CASCADE,
        related_name="startable_processes",
        verbose_name=_("counterparty type"),
    )
    definition = models.ForeignKey(
        ProcessDefinition, models.CASCADE, related_name="+", verbose_name=_("business process")
    )

    class Meta:
        verbose_name = _("process that may be started by hand")
        verbose_name_plural = _("processes that may be started by hand (none chosen: all that are offered)")
        ordering = ["definition__name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["counterparty_type", "definition"], name="startable_once_on_a_type"
            )
        ]

    def __str__(self) -> str:
        return str(self.definition)
