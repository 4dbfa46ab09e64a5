"""Payments of deals from spreadsheets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.history.kinds import EventKind, register_event
from crm.history.services import FieldChange, record_events
from crm.history.undoing import UNDO
from crm.listing.imports.headers import HEADERS
from crm.listing.imports.registry import Importer, ImportField, Key, Match, Values, Written, register_importer
from crm.listing.imports.vocabulary import names
from crm.listing.models import Import
from crm.money.fields import LIMIT
from crm.people.folding import fold
from deals.imports.columns import DEAL_KIND, currency_column
from deals.models import Deal, Payment
from deals.parts import MOST_ROWS, remove_rows
from deals.payment_lists import PAYMENT
from deals.payments import PAYMENTS, change_payment
from deals.signals import deal_changed

BETWEEN = "|"
_COLUMNS = (
    ImportField(
        "deal", _("Deal"), kind="record", records=(DEAL_KIND,), required=True,
        aliases=(*HEADERS["deal"], *names("Numer porozumienia, Numer szansy, Deal number, Numer")),
        help=_("Its number or its name."),
    ),
    ImportField(
        "name", _("What for"), max_length=100, aliases=names("Za co, Tytuł, Opis, Nazwa płatności, Title, Description")
    ),
    ImportField(
        "planned_date", _("Planned for"), kind="date", required=True,
        aliases=names("Termin, Termin płatności, Data planowana, Data płatności, Planned date, Due date, Due"),
    ),
    ImportField("amount", _("Amount"), kind="money", required=True, aliases=HEADERS["amount"]),
    ImportField(
        "is_invoiced", _("Invoiced"), kind="yes_no", aliases=names("Zafakturowane, Faktura wystawiona, Invoice issued")
    ),
    ImportField(
        "invoice_number", _("Invoice"), max_length=60,
        aliases=names("Faktura, Numer faktury, Nr faktury, Invoice number, Invoice no"),
    ),
    ImportField(
        "received_date", _("Received on"), kind="date",
        aliases=names("Data wpływu, Zapłacono dnia, Data zapłaty, Received date, Paid on"),
    ),
    ImportField(
        "received_amount", _("Received"), kind="money",
        aliases=names("Wpłynęło, Otrzymano, Kwota otrzymana, Zapłacono, Received amount, Paid"),
    ),
)  # fmt: skip
EXAMPLE = (
    {
        "deal": "2026/00042", "name": "Zaliczka", "planned_date": "2026-12-15", "amount": "25 000,00",
        "currency": "PLN", "invoice_number": "FV/12/2026",
    },
)  # fmt: skip


def payment_columns(user) -> list[ImportField]:
    """Nothing for whom payments are hidden from or locked for."""
    return [] if PAYMENTS.is_locked(user) else [*_COLUMNS, currency_column()]


def register_payment_imports() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("payment_imported", _("imported the payment “%(payment)s” from %(file)s"), "upload"),
        EventKind(
            "payment_import_updated", _("changed the payment “%(payment)s” by importing %(file)s"), "upload"
        ),
    )
    register_importer(
        Importer(
            kind=PAYMENT,
            label=_("Payments"),
            fields=payment_columns,
            keys=keys_of,
            existing=existing,
            write=lambda creates, updates, run, by: PaymentBatch(run, by).write(creates, updates),
            faults=faults_of,
            list_url=lambda run: reverse("deals:payment_list") + "?tab=all",
            messages={
                "not_positive": _("The amount is more than 0."),
                "negative": _("The amount may not be negative."),
                "too_large": _("The amount is too large."),
                "ahead": _("This day is still to come."),
                "other_currency": _("The deal is in another currency."),
                "not_editable": _("You may not change this deal."),
                "too_many": _("The deal has too many payments."),
            },
            key_labels={"invoice": _("Deal and invoice"), "plan": _("Deal, what for and day")},
            example=EXAMPLE,
            take_back={PAYMENT: take_back},
        )
    )


def faults_of(values: Values) -> list[tuple[str, str]]:
    found = []
    for key, least in (("amount", Decimal("0.01")), ("received_amount", Decimal(0))):
        amount = Decimal(values.get(key) or least)
        if amount < least:
            found.append(("not_positive" if least else "negative", key))
        if amount > LIMIT:
            found.append(("too_large", key))
    day = values.get("received_date")
    return [*found, ("ahead", "received_date")] if day and day > timezone.localdate().isoformat() else found


def keys_of(values: Values) -> list[Key]:
    """The invoice within its deal; else what it is for and its day."""
    deal = values.get("deal")
    if not isinstance(deal, list):
        return []
    if values.get("invoice_number"):
        return [("invoice", BETWEEN.join((str(deal[1]), values["invoice_number"])))]
    return [
        ("plan", BETWEEN.join((str(deal[1]), fold(values.get("name", "")), values.get("planned_date", ""))))
    ]


def existing(keys: Iterable[Key], *, by) -> dict[Key, Match]:
    """The payments that carry any of the keys, of deals that the user sees."""
    wanted = set(keys)
    deals = {int(value.partition(BETWEEN)[0]) for _key, value in wanted}
    rows = (
        Payment.objects.visible_to(by).filter(deal__in=deals).select_related("deal").with_rights(by, "edit")
    )
    found: dict[Key, Match] = {}
    for one in rows.order_by("pk"):
        match = Match(PAYMENT, one.pk, f"{one.deal}: {one} {one.planned_date}", one.may_edit)
        plan = BETWEEN.join((str(one.deal_id), fold(one.name), one.planned_date.isoformat()))
        for key in (("invoice", BETWEEN.join((str(one.deal_id), one.invoice_number))), ("plan", plan)):
            if key in wanted:
                found.setdefault(key, match)
    return found


def take_back(pks: list[int], *, by) -> set[int]:
    """Removes the payments that stand as they were imported, of each deal as one change; the ids of those."""
    by_deal: dict[Deal, list[int]] = defaultdict(list)
    for one in Payment.objects.filter(pk__in=pks, version=1).select_related("deal"):
        by_deal[one.deal].append(one.pk)
    for deal, own in by_deal.items():
        remove_rows(part=PAYMENTS, deal=deal, pks=own, by=by, via=UNDO)
    return {pk for own in by_deal.values() for pk in own}


class PaymentBatch:
    """One batch of rows: payments written in bulk, each with an event of its own on the cards of its deal."""

    def __init__(self, run: Import, by) -> None:
        self.run, self.by = run, by
        self.written = Written()

    def write(self, creates: list[tuple[int, Values]], updates: list[tuple[int, Values, int]]) -> Written:
        pks = {values["deal"][1] for _number, values, *_pk in (*creates, *updates) if values.get("deal")}
        editable = Deal.objects.visible_to(self.by, "edit").filter(pk__in=pks).order_by("pk")
        self.deals = {
            deal.pk: deal for deal in editable.select_related("counterparty").select_for_update(of=("self",))
        }
        self.create(creates)
        self.update(updates)
        for deal in {one.deal_id: one.deal for one in self.touched}.values():
            deal_changed.send(Deal, deal=deal, by=self.by, fields=[PAYMENTS.key])
        return self.written

    def create(self, rows: list[tuple[int, Values]]) -> None:
        counted = Payment.objects.filter(deal__in=self.deals).order_by().values_list("deal")
        counts = defaultdict(int, counted.annotate(Count("pk")))
        made: dict[int, Payment] = {}
        for number, values in rows:
            deal = self._deal(number, values)
            if deal is None:
                continue
            if counts[deal.pk] >= MOST_ROWS:
                self.written.failed[number] = "too_many"
                continue
            one = Payment(deal=deal)
            try:
                change_payment(one, self._columns(values))
            except ValidationError:
                self.written.failed[number] = "refused"
                continue
            counts[deal.pk] += 1
            made[number] = one
        Payment.objects.bulk_create(made.values(), batch_size=500)
        self.written.created |= {number: one.pk for number, one in made.items()}
        self.touched = [*made.values()]
        self._record("payment_imported", self.touched)

    def _deal(self, number: int, values: Values) -> Deal | None:
        """The deal the row may write to; why not is noted."""
        deal = self.deals.get(values["deal"][1])
        if deal is None:
            self.written.failed[number] = "not_editable"
        elif values.get("currency") not in {None, deal.currency_id}:
            self.written.failed[number] = "other_currency"
            return None
        return deal

    def _columns(self, values: Values) -> dict[str, Any]:
        """The filled cells as columns of a payment."""
        found: dict[str, Any] = {key: values[key] for key in ("name", "invoice_number") if values.get(key)}
        found |= {key: Decimal(values[key]) for key in ("amount", "received_amount") if values.get(key)}
        days = ("planned_date", "received_date")
        found |= {key: date.fromisoformat(values[key]) for key in days if values.get(key)}
        if values.get("is_invoiced") is not None:
            found["is_invoiced"] = values["is_invoiced"]
        return found

    def update(self, rows: list[tuple[int, Values, int]]) -> None:
        found = Payment.objects.filter(pk__in=[pk for *_row, pk in rows]).in_bulk()
        changes: dict[int, list[FieldChange]] = {}
        for number, values, pk in rows:
            one, deal = found.get(pk), self._deal(number, values)
            if one is None or deal is None or one.deal_id != deal.pk:
                self.written.failed.setdefault(number, "gone")
                continue
            one.deal = deal
            try:
                changes.setdefault(pk, []).extend(change_payment(one, self._columns(values)))
            except ValidationError:
                self.written.failed[number] = "refused"
                continue
            self.written.updated[number] = pk
        changed = [found[pk] for pk, told in changes.items() if told]
        Payment.objects.bulk_update(changed, [*PAYMENTS.columns, "version"], batch_size=250)
        self._record("payment_import_updated", changed, changes)
        self.touched += changed

    def _record(self, kind: str, payments: list[Payment], changes: dict | None = None) -> None:
        record_events(
            kind=kind, subjects=payments, by=self.by, changes=changes,
            payload={"file": self.run.file.name, "import": self.run.pk},
            cards={one.pk: [one.deal, one.deal.counterparty] for one in payments},
            details={one.pk: {"payment": str(one)} for one in payments},
        )  # fmt: skip
