"""The hand-over of a portfolio: who gave what to whom."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class HandOverQuerySet(models.QuerySet):
    def visible_to(self, user, action: str = "view") -> HandOverQuerySet:
        """Whoever made it; and who may assign every counterparty sees all."""
        if user.access.scope("counterparties.counterparty", "assign") == "all":
            return self
        return self.filter(made_by=user)


class HandOver(models.Model):
    """All that `source` had of some kinds goes to one or more successors, by one bulk edit for each kind and person.

    `rule`: by what several successors shared it (`counterparties.splitting.RULES`), empty for in turn.
    """

    source = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("from whom")
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    rule = models.CharField(max_length=10, blank=True)
    runs = models.ManyToManyField("listing.BulkRun", related_name="+")

    objects = HandOverQuerySet.as_manager()

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.source} #{self.pk}"
