"""A deal's payments: what is planned, invoiced and received, and schedules that split the amount."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.history.editing import field_change
from crm.history.services import FieldChange, record_event
from crm.money.format import show_money
from crm.money.rounding import round_money
from crm.notify.services import publish
from crm.people.visibility import demand
from deals.events import cards_of
from deals.models import Deal, Payment, PaymentTemplate
from deals.moves import locked
from deals.parts import Part, RowConflict, add_rows, edit_row
from deals.signals import deal_changed

HUNDRED = Decimal(100)


def _describe(payment: Payment) -> str:
    currency = payment.deal.currency_id
    parts = [f"{payment.name or 'payment'}: {payment.planned_date} {show_money(payment.amount, currency)}"]
    if payment.is_invoiced:
        parts.append(f"invoice {payment.invoice_number}".strip())
    if payment.received_date:
        received = show_money(payment.received_amount, currency)
        parts.append(f"received {received} on {payment.received_date}")
    return ", ".join(parts)


def _prepare(payment: Payment, changed: set) -> None:
    """A receipt is a day and an amount: either brings the other, or takes it along. A number is an invoice."""
    if payment.pk:
        payment.version += 1
    if "received_date" in changed and "received_amount" not in changed:
        has_come = payment.received_date is not None
        payment.received_amount = (payment.received_amount or payment.amount) if has_come else None
    elif "received_amount" in changed and "received_date" not in changed:
        has_come = payment.received_amount is not None
        payment.received_date = (payment.received_date or timezone.localdate()) if has_come else None
    if payment.received_date and payment.received_date > timezone.localdate():
        raise ValidationError({"received_date": _("This day is still to come.")})
    if "invoice_number" in changed and payment.invoice_number:
        payment.is_invoiced = True
    elif "is_invoiced" in changed and not payment.is_invoiced:
        payment.invoice_number = ""


PAYMENTS = Part(
    key="payments", label=gettext_lazy("payments"), model=Payment, event="deal_payments_changed", describe=_describe,
    columns=("name", "planned_date", "amount", "is_invoiced", "invoice_number", "received_date", "received_amount"),
    prepare=_prepare, order=("planned_date", "pk"),
)  # fmt: skip


@transaction.atomic
def edit_payment(
    *, payment: Payment, values: dict, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """Changes columns of one payment, found in a list of many; the names of those that differ, derived ones too.

    Its event stands on the deal's card, on the counterparty's and on its own. Raises PermissionDenied, RowConflict when
    the payment is another one than `version` already, ValidationError (keyed by column).
    """
    if unknown := set(values) - set(PAYMENTS.columns):
        raise ValueError(f"not editable: {sorted(unknown)}")
    deal = locked(payment.deal)
    demand(by, "edit", deal)
    if PAYMENTS.is_locked(by):
        raise PermissionDenied
    fresh = Payment.objects.filter(pk=payment.pk, deal=deal).first()
    if fresh is None:
        raise ValidationError(_("This row is no longer there."))
    if fresh.version != version:
        raise RowConflict(_("Somebody has just changed this. Look again before you write."))
    fresh.deal = deal
    if not (changes := change_payment(fresh, values)):
        return []
    fresh.save()
    payment.refresh_from_db(fields=[*PAYMENTS.columns, "version"])
    record_event(
        kind="payment_changed", subject=fresh, by=by, cards=[deal, *cards_of(deal)], changes=changes, via=via,
        version=fresh.version, payload={"payment": str(fresh)},
    )  # fmt: skip
    deal_changed.send(Deal, deal=deal, by=by, fields=[PAYMENTS.key])
    publish(kind="deals.deal", record=deal)
    return [change.field for change in changes]


def change_payment(payment: Payment, values: dict) -> list[FieldChange]:
    """Writes `values` and what follows from them into the payment, unsaved; what differs. Raises ValidationError."""
    before = {name: getattr(payment, name) for name in PAYMENTS.columns}
    changed = {name for name, value in values.items() if before[name] != value}
    if not changed:
        return []
    for name in changed:
        setattr(payment, name, values[name])
    _prepare(payment, changed)
    payment.full_clean(exclude=["deal"])
    return [
        field_change(Payment._meta.get_field(name), old, getattr(payment, name))
        for name, old in before.items()
        if old != getattr(payment, name)
    ]


@dataclass
class PaymentSums:
    """What a deal's payments come to. `deviation`: planned above (or below) the deal's amount, None without one."""

    planned: Decimal
    received: Decimal
    open: Decimal
    overdue: Decimal
    deviation: Decimal | None


def sum_payments(payments: Iterable[Payment], amount: Decimal | None) -> PaymentSums:
    rows = list(payments)
    planned = sum((row.amount for row in rows), Decimal(0))
    return PaymentSums(
        planned=planned,
        received=sum((row.received_amount or Decimal(0) for row in rows), Decimal(0)),
        open=sum((row.open_amount for row in rows), Decimal(0)),
        overdue=sum((row.open_amount for row in rows if row.is_overdue), Decimal(0)),
        deviation=None if amount is None else planned - amount,
    )


def split(amount: Decimal, percents: list[Decimal], currency: str) -> list[Decimal]:
    """The amount in shares, each rounded to the currency's minor unit; the last one takes what rounding left."""
    found = [round_money(amount * percent / HUNDRED, currency) for percent in percents[:-1]]
    return [*found, amount - sum(found, Decimal(0))]


@transaction.atomic
def plan_payments(*, deal: Deal, template: PaymentTemplate, start: date, by, via: str = "") -> list[Payment]:
    """Payments by a schedule, the first day being `start`. Only for a deal with an amount and without payments.

    Raises PermissionDenied, ValidationError.
    """
    if not deal.amount or deal.amount < 0:
        raise ValidationError(_("Say first what the deal is worth."))
    if Payment.objects.filter(deal=deal).exists():
        raise ValidationError(_("The deal has payments already. Remove them first."))
    shares = list(template.shares.all())
    if not shares or sum(share.percent for share in shares) != HUNDRED:
        raise ValidationError(_("The shares of this schedule do not make 100 per cent."))
    amounts = split(deal.amount, [share.percent for share in shares], deal.currency_id)
    rows = [
        {"name": str(share), "planned_date": start + timedelta(days=share.days), "amount": amount}
        for share, amount in zip(shares, amounts, strict=True)
    ]
    return add_rows(part=PAYMENTS, deal=deal, rows=rows, by=by, via=via)


def receive_payment(*, payment: Payment, by, via: str = "") -> Payment:
    """The whole amount came today. Raises PermissionDenied, ValidationError when something came before."""
    if payment.received_date is not None:
        raise ValidationError(_("This payment has been received already."))
    values = {"received_date": timezone.localdate(), "received_amount": payment.amount}
    return edit_row(part=PAYMENTS, row=payment, values=values, seen={"received_date": None}, by=by, via=via)
