"""What a deal brings in, and the schedules an administrator prepares."""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.money.fields import LIMIT, NOT_NEGATIVE, MoneyField
from crm.people.access import right_on_card
from crm.people.names import Named
from crm.people.visibility import sees
from deals.models.records import Deal

POSITIVE = [
    MinValueValidator(Decimal("0.01"), _("The amount is more than 0.")),
    MaxValueValidator(LIMIT, _("The amount is too large.")),
]


class PaymentStatus(models.TextChoices):
    """Never stored: it follows from the row and the day."""

    PLANNED = "planned", _("awaited")
    INVOICED = "invoiced", _("invoiced")
    OVERDUE = "overdue", _("late")
    PARTLY = "partly", _("partly received")
    RECEIVED = "received", _("paid")


STILL_OPEN = Q(received_amount=None) | Q(received_amount__lt=F("amount"))
PAYMENTS = "payments"
"""What payments are called among a deal's fields that a role may hide or lock."""


class PaymentQuerySet(models.QuerySet):
    """Payments, seen and written by whoever sees and writes the deal they are of."""

    def visible_to(self, user, action: str = "view") -> PaymentQuerySet:
        """Those on which `user` may perform `action`: none for whom amounts are hidden from."""
        access, right = user.access, right_on_card(action)
        barred = access.hidden_fields(Deal) if right in {"view", "export"} else access.locked_fields(Deal)
        if PAYMENTS in barred or not user.is_active:
            return self.none()
        if not access.condition(Deal, right):
            return self.filter(deal__deleted_at=None)
        return self.filter(deal__in=Deal.objects.visible_to(user, right).values("pk"))

    def with_rights(self, user, *actions: str) -> PaymentQuerySet:
        """Rows that know, as `may_<action>`, whether `user` may perform each of `actions`."""
        locked = PAYMENTS in user.access.locked_fields(Deal)
        return self.annotate(
            **{
                f"may_{action}": Value(False)
                if locked
                else sees(user, Deal, "deal_id", right_on_card(action))
                for action in actions
            }
        )


class Payment(models.Model):
    """An inflow of a deal, in the deal's currency: when, how much, invoiced or not, and what came of it."""

    deal = models.ForeignKey(Deal, models.CASCADE, related_name="payments")
    name = models.CharField(_("what for"), max_length=100, blank=True)
    planned_date = models.DateField(_("planned for"))
    amount = MoneyField(_("amount"), validators=POSITIVE)
    is_invoiced = models.BooleanField(_("invoice issued"), default=False)
    invoice_number = models.CharField(_("invoice number"), max_length=60, blank=True)
    received_date = models.DateField(_("received on"), null=True, blank=True)
    received_amount = MoneyField(_("received"), null=True, blank=True, validators=NOT_NEGATIVE)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["planned_date", "id"]
        indexes = [
            models.Index(fields=["planned_date", "id"], name="payments_by_day"),
            models.Index(fields=["deal", "planned_date"], name="payments_of_deal"),
            models.Index(fields=["planned_date", "id"], name="open_payments_by_day", condition=STILL_OPEN),
            models.Index(fields=["received_date", "id"], name="payments_by_receipt"),
            models.Index(fields=["amount", "id"], name="payments_by_amount"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_more_than_nothing"),
            models.CheckConstraint(
                condition=Q(received_date=None, received_amount=None)
                | Q(received_date__isnull=False, received_amount__isnull=False),
                name="receipt_has_a_day_and_an_amount",
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self._meta.verbose_name)

    @property
    def currency_id(self) -> str:
        """The deal's, which has to be read already."""
        return self.deal.currency_id

    @property
    def open_amount(self) -> Decimal:
        """What is still to come."""
        return max(self.amount - (self.received_amount or Decimal(0)), Decimal(0))

    @property
    def is_overdue(self) -> bool:
        return self.open_amount > 0 and self.planned_date < timezone.localdate()

    @property
    def status(self) -> PaymentStatus:
        if not self.open_amount:
            return PaymentStatus.RECEIVED
        if self.is_overdue:
            return PaymentStatus.OVERDUE
        if self.received_amount:
            return PaymentStatus.PARTLY
        return PaymentStatus.INVOICED if self.is_invoiced else PaymentStatus.PLANNED


class PaymentTemplate(Named):
    """A schedule that splits a deal's amount."""

    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("payment schedule")
        verbose_name_plural = _("payment schedules")
        ordering = ["position", "id"]


class PaymentShare(Named):
    """One payment of a schedule: how much of the amount, and how many days after the first day."""

    name = models.CharField(_("what for"), max_length=100, blank=True)
    name_pl = models.CharField(_("what for, in Polish"), max_length=100, blank=True)
    template = models.ForeignKey(PaymentTemplate, models.CASCADE, related_name="shares")
    percent = models.DecimalField(
        _("per cent"),
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(100)],
    )
    days = models.PositiveSmallIntegerField(_("days later"), default=0, validators=[MaxValueValidator(3650)])

    class Meta:
        verbose_name = _("share")
        verbose_name_plural = _("shares")
        ordering = ["days", "id"]
