"""Two layers of the calendar that tell of deals: when they are to close, and when their payments are planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab.calendar.layers import MOST_MARKS, CalendarLayer, Mark, register_calendar_layer
from crm.money.format import show_money
from crm.people.access import kind_label
from crm.people.kinds import kind_named
from deals.models import Deal, DealStatus, Payment
from deals.payments import PAYMENTS


def register() -> None:
    register_calendar_layer(CalendarLayer("closes", _("Close dates of deals"), "flag", 20, closes))
    register_calendar_layer(CalendarLayer("payments", _("Planned payments"), "cash-coin", 30, payments))


def _days(start: datetime, end: datetime) -> tuple:
    return timezone.localtime(start).date(), timezone.localtime(end).date()


def _address(pk: int) -> str:
    kind = kind_named(kind_label(Deal))
    return kind.url(pk) if kind else ""


def closes(user, people: list[int], start: datetime, end: datetime) -> Iterator[Mark]:
    """Active deals of these people by their close date."""
    if "close_date" in user.access.hidden_fields(Deal):
        return
    rows = Deal.objects.visible_to(user).filter(
        close_date__range=_days(start, end), status=DealStatus.ACTIVE, owner_id__in=people
    ).order_by("close_date", "pk")  # fmt: skip
    today = timezone.localdate()
    hides_name = "name" in user.access.hidden_fields(Deal)
    for pk, name, day, owner in rows.values_list("pk", "name", "close_date", "owner_id")[:MOST_MARKS]:
        title = str(_("Deal")) if hides_name else name
        yield Mark(f"close-{pk}", day, title, _address(pk), owner, "red" if day < today else "amber")


def payments(user, people: list[int], start: datetime, end: datetime) -> Iterator[Mark]:
    """Payments planned on deals of these people; a reader from whom amounts are hidden learns of none."""
    hidden = user.access.hidden_fields(Deal)
    if PAYMENTS.key in hidden or "amount" in hidden:
        return
    rows = Payment.objects.filter(
        planned_date__range=_days(start, end), deal__in=Deal.objects.visible_to(user).filter(owner_id__in=people)
    ).select_related("deal").order_by("planned_date", "pk")  # fmt: skip
    for payment in rows[:MOST_MARKS]:
        deal = payment.deal
        title = f"{show_money(payment.amount, deal.currency_id)} · {deal.name}"
        tone = "green" if payment.received_date else "red" if payment.is_overdue else "amber"
        yield Mark(
            f"payment-{payment.pk}", payment.planned_date, title, _address(deal.pk), deal.owner_id, tone
        )
