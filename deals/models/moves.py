"""The requests to move deals, and the ledger of what was committed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.money.fields import MoneyField
from deals.models.reasons import LossReason, OutcomeReason
from deals.models.records import Deal, DealStatus


class RequestStatus(models.TextChoices):
    PENDING = "pending", _("waiting")
    APPLIED = "applied", _("done")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")


PATIENCE = timedelta(days=3)
"""How long a move may wait for something that has no due of its own."""
REQUIREMENTS = "requirements"
"""The holder of a request whose deal lacks what a stage requires."""


class StageRequest(models.Model):
    """Somebody wants a deal elsewhere. At most one is pending for a deal.

    `holders`: who holds it: "requirements", and "process:<id>" for each run; the last one who lets go lets it through.
    `waits`: what a pending request waits for, a list of
    {label, label_pl, holder_id, holder, since, due, target, source}, kept current by whoever holds it (`source`).
    `needed`: how many proofs the move needs in all.
    `due_at`: from when on a pending request has waited too long: the earliest due of what it waits for, else
    PATIENCE after it was asked.
    """

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="stage_requests")
    from_stage = models.ForeignKey("funnel.Stage", models.PROTECT, related_name="+")
    to_stage = models.ForeignKey("funnel.Stage", models.PROTECT, related_name="+")
    from_status = models.CharField(max_length=10, choices=DealStatus.choices)
    to_status = models.CharField(max_length=10, choices=DealStatus.choices)
    reason = models.TextField(_("reason"), blank=True)
    loss_reason = models.ForeignKey(LossReason, models.PROTECT, null=True, related_name="+")
    outcome_reason = models.ForeignKey(OutcomeReason, models.PROTECT, null=True, related_name="+")
    postponed_until = models.DateField(null=True)
    status = models.CharField(max_length=10, choices=RequestStatus.choices, default=RequestStatus.PENDING)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)
    via = models.CharField(max_length=200, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    waits = models.JSONField(default=list)
    holders = models.JSONField(default=list)
    needed = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["deal", "-id"], name="requests_of_deal"),
            models.Index(fields=["due_at"], condition=Q(status="pending"), name="requests_by_due"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["deal"], condition=Q(status="pending"), name="one_pending_request"
            ),
            models.CheckConstraint(
                condition=Q(status="pending", decided_at__isnull=True)
                | (~Q(status="pending") & Q(decided_at__isnull=False)),
                name="decided_request_has_a_moment",
            ),
        ]

    def wait_for(self, waits: list[dict]) -> None:
        """Sets what it waits for, and until when that is bearable; the caller saves `waits` and `due_at`."""
        self.waits = waits
        dues = [datetime.fromisoformat(wait["due"]) for wait in waits if wait.get("due")]
        self.due_at = min(dues, default=self.requested_at + PATIENCE)

    @property
    def is_pending(self) -> bool:
        return self.status == RequestStatus.PENDING

    @property
    def changes_stage(self) -> bool:
        return self.from_stage_id != self.to_stage_id

    @property
    def leaves_stage(self) -> bool:
        """Whether the deal goes on from its stage: to another one, or as won."""
        return self.changes_stage or (self.to_status == DealStatus.WON != self.from_status)

    @property
    def proofs_given(self) -> int:
        """How many of the `needed` proofs are there already."""
        runs = [holder for holder in self.holders if holder != REQUIREMENTS]
        lacks = [wait for wait in self.waits if wait.get("source") == REQUIREMENTS]
        return max(self.needed - len(runs) - len(lacks), 0)


class TransitionCause(models.TextChoices):
    CREATED = "created", _("created")
    REQUEST = "request", _("moved")
    OVERRIDE = "override", _("moved past the gate")
    AMOUNT = "amount", _("amount changed")
    CLOSE_DATE = "close_date", _("close date changed")
    OWNER = "owner", _("owner changed")
    IMPORT = "import", _("imported")
    REMOVED = "removed", _("its stage was retired")


class LedgerError(RuntimeError):
    """Code tried to rewrite the ledger."""


class LedgerQuerySet(models.QuerySet):
    """Rows are added and read, never changed."""

    def update(self, **values) -> int:
        raise LedgerError("the ledger of transitions is append-only")

    def delete(self):
        raise LedgerError("the ledger of transitions is append-only")

    def erase_of(self, deal: Deal) -> None:
        """The rows of a deal that is being erased for good: the one way a row ever leaves."""
        rows = self.filter(deal=deal)
        rows._raw_delete(rows.db)


class StageTransition(models.Model):
    """A committed fact: where the deal stood, and what it was worth, from `at` on.

    `worth` is its amount in the company's currency at the rate of that moment, None where there was none.

    A changed amount, close date or owner writes a row as well, so that any past day can be rebuilt in money.
    `is_proven` is False for rows an import wrote about a past it has not seen.
    """

    deal = models.ForeignKey(Deal, models.PROTECT, related_name="transitions")
    at = models.DateTimeField(default=timezone.now)
    cause = models.CharField(max_length=10, choices=TransitionCause.choices)
    from_stage = models.ForeignKey("funnel.Stage", models.PROTECT, null=True, related_name="+")
    to_stage = models.ForeignKey("funnel.Stage", models.PROTECT, related_name="+")
    from_status = models.CharField(max_length=10, choices=DealStatus.choices, blank=True)
    to_status = models.CharField(max_length=10, choices=DealStatus.choices)
    amount = MoneyField(null=True)
    currency = models.ForeignKey("money.Currency", models.PROTECT, related_name="+")
    worth = MoneyField(null=True)
    close_date = models.DateField(null=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    department = models.ForeignKey("people.Department", models.PROTECT, null=True, related_name="+")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    via = models.CharField(max_length=200, blank=True)
    request = models.ForeignKey(StageRequest, models.PROTECT, null=True, related_name="transitions")
    is_proven = models.BooleanField(default=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["deal", "-at", "-id"], name="ledger_of_deal"),
            models.Index(fields=["at", "deal"], name="ledger_by_moment"),
        ]

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding:
            raise LedgerError("the ledger of transitions is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise LedgerError("the ledger of transitions is append-only")
