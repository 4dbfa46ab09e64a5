"""Writing rows as deals: born at their stage with an unproven ledger row, moved only through `request_stage`."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from counterparties.imports.batches import make_counterparties
from counterparties.imports.columns import COUNTERPARTY_KIND
from counterparties.models import CONTACT_KIND, Contact, Counterparty
from counterparties.name_keys import name_key
from crm.history.kinds import named
from crm.history.services import record_events
from crm.listing.imports.records import RecordBatch
from crm.listing.imports.registry import Values
from crm.money.models import default_currency
from crm.people.many_rows import update_rows
from deals.imports.columns import deal_types
from deals.ledger import ledger_row, ledger_rows, write_rows
from deals.models import (
    CLOSED_STATUSES,
    Deal,
    DealContact,
    DealLine,
    DealSettings,
    DealStatus,
    LossReason,
    OutcomeReason,
    TransitionCause,
)
from deals.moves import first_text, request_stage
from deals.numbering import free_numbers_in_bin, number_deals
from deals.rules import StageRefused
from deals.signals import deal_changed, deal_created
from deals.worth import refresh_worth
from funnel.models import Stage


class DealBatch(RecordBatch):
    model = Deal
    created_kind = "deal_imported"
    updated_kind = "deal_import_updated"
    updates = ("name", "counterparty", "amount", "currency", "close_date")
    related = ("owner", "counterparty", "deal_type", "stage", "currency")

    def begin(self, rows: list[Values]) -> None:
        self.types = deal_types()
        self.stages = list(Stage.objects.filter(is_active=True).order_by("position", "id"))
        self.clients: dict[int, Counterparty] = self.load(COUNTERPARTY_KIND, rows, "counterparty")
        self.people: dict[int, Contact] = self.load(CONTACT_KIND, rows, "contact")
        self.made: dict[str, Counterparty] = {}
        self.settings = DealSettings.read()
        self.reasons = {(one.outcome, one.name): one for one in OutcomeReason.objects.all()}
        self.now = timezone.now()

    # New deals

    def create(self, rows: dict[int, Values]) -> None:
        refused = {number: fault for number, values in rows.items() if (fault := self._reason_fault(values))}
        self.written.failed |= refused
        rows = {number: values for number, values in rows.items() if number not in refused}
        rows = self._numbered_apart(rows)
        firsts: dict[str, tuple[int, str]] = {}
        for number, values in rows.items():
            if isinstance(text := values.get("counterparty"), str):
                firsts.setdefault(name_key(text), (number, text))
        self.made = make_counterparties(firsts, run=self.run, by=self.by)
        for key, (number, _text) in firsts.items():
            if key in self.made:
                self.accompany(number, self.made[key])
        super().create(rows)

    def _reason_fault(self, values: Values) -> tuple[str, dict] | None:
        """Why the row may not be won or set aside as it stands; None for every other row."""
        status, name = values.get("status", ""), values.get("outcome_reason")
        if name and (status, name) not in self.reasons:
            return "reason_misfit", {"reason": name}
        if not name and self.settings.needs_reason(status):
            return f"no_{status}_reason", {}
        return None

    def _numbered_apart(self, rows: dict[int, Values]) -> dict[int, Values]:
        """The rows whose number no other deal has, nor an earlier row; the rest is refused."""
        wanted = {values["number"] for values in rows.values() if values.get("number")}
        free_numbers_in_bin(numbers=wanted, by=self.by)
        taken = set(Deal.objects.filter(number__in=wanted).values_list("number", flat=True))
        kept = {}
        for number, values in rows.items():
            if (own := values.get("number")) in taken:
                self.written.failed[number] = "number_taken"
                continue
            kept[number] = values
            taken |= {own} if own else set()
        return kept

    def fields_of(self, values: Values, record: Deal | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        meant = values.get("counterparty")
        client = (
            self.made.get(name_key(meant))
            if isinstance(meant, str)
            else self.clients.get((meant or [0, 0])[1])
        )
        if client is not None:
            found["counterparty"] = client
        if values.get("name"):
            found["name"] = values["name"]
        if values.get("amount"):
            found["amount"] = Decimal(values["amount"])
        if values.get("currency"):
            found["currency_id" if record is None else "currency"] = (
                values["currency"] if record is None else type(record.currency)(code=values["currency"])
            )
        if values.get("close_date"):
            found["close_date"] = date.fromisoformat(values["close_date"])
        return found

    def complete(self, record: Deal, values: Values) -> None:
        """Raises ValidationError for a row that cannot be a deal."""
        if record.counterparty_id is None or not self.types:
            raise ValidationError(_("A deal needs a counterparty and a type."))
        wanted = values.get("deal_type")
        record.deal_type = next((one for one in self.types if one.pk == wanted), self.types[0])
        record.funnel = record.deal_type.funnel
        record.stage = self._stage(record.funnel_id, values.get("stage"))
        record.proven_stage = self._stage(record.funnel_id, None)
        record.currency_id = record.currency_id or default_currency()
        record.name = record.name or record.counterparty.name
        record.number = values.get("number") or None
        self._place(record, values)

    def _stage(self, funnel_id: int, name: str | None) -> Stage:
        """The stage of this name in the funnel, else its first. Raises ValidationError for an empty funnel."""
        own = [stage for stage in self.stages if stage.funnel_id == funnel_id]
        if not own:
            raise ValidationError(_("The funnel has no stages yet."))
        return next((stage for stage in own if name and stage.name == name), own[0])

    def _place(self, record: Deal, values: Values) -> None:
        record.status = values.get("status") or DealStatus.ACTIVE
        if record.status == DealStatus.LOST:
            record.loss_reason = self.entry(LossReason, "loss_reason", values.get("loss_reason"))
            if record.loss_reason is None:
                raise ValidationError(_("Say why the deal was lost."))
        record.outcome_reason = self.reasons.get((record.status, values.get("outcome_reason", "")))
        if record.status in CLOSED_STATUSES:
            day = min(record.close_date or timezone.localdate(), timezone.localdate())
            record.closed_at = timezone.make_aware(datetime.combine(day, time(12)))

    def after_create(self, records: dict[int, Deal], rows: dict[int, Values]) -> None:
        fresh = number_deals(records.values())
        update_rows(
            Deal, ("number", "search_text"), {deal.pk: (deal.number, deal.search_text) for deal in fresh}
        )
        self._link_people(records, rows)
        refresh_worth(records.values())
        write_rows(
            [
                ledger_row(deal=deal, cause=TransitionCause.IMPORT, by=self.by, is_proven=False, at=self.now)
                for deal in records.values()
            ]
        )
        for deal in records.values():
            deal_created.send(Deal, deal=deal, by=self.by)

    def _link_people(self, records: dict[int, Deal], rows: dict[int, Values]) -> list[Deal]:
        """The contact a row names; returns the deals that got one."""
        wanted = [
            (deal, self.people[rows[number]["contact"][1]])
            for number, deal in records.items()
            if isinstance(rows[number].get("contact"), list) and rows[number]["contact"][1] in self.people
        ]
        deals = {deal.pk for deal, _contact in wanted}
        present = set(DealContact.objects.filter(deal__in=deals).values_list("deal_id", "contact_id"))
        fresh = [pair for pair in wanted if (pair[0].pk, pair[1].pk) not in present]
        DealContact.objects.bulk_create(
            [DealContact(deal=deal, contact=contact) for deal, contact in fresh], ignore_conflicts=True
        )
        return [deal for deal, _contact in fresh]

    def record(self, kind: str, records: list, changes: dict | None = None) -> None:
        record_events(
            kind=kind, subjects=records, by=self.by, changes=changes, payload=self.payload,
            cards={deal.pk: [deal.counterparty] for deal in records},
            details={deal.pk: {"stage": named(deal.stage)} for deal in records},
        )  # fmt: skip

    # Deals that are there

    def update(self, rows: list[tuple[int, Values, int]]) -> None:
        """A row that names another stage is a request first; a refused one changes nothing else either."""
        moved = [row for row in rows if row[1].get("stage") or row[1].get("status")]
        refused = {number: fault for number, values, pk in moved if (fault := self._move(pk, values))}
        self.written.failed |= refused
        summed = self._summed([row for row in rows if row[0] not in refused])
        self.written.failed |= dict.fromkeys(summed, "amount_of_lines")
        super().update([row for row in rows if row[0] not in refused.keys() | summed])

    def _summed(self, rows: list[tuple[int, Values, int]]) -> set[int]:
        """The rows that would write over what a deal's lines come to. One query."""
        worth = {pk: number for number, values, pk in rows if values.get("amount") or values.get("currency")}
        with_lines = DealLine.objects.filter(deal__in=worth).select_related("deal").order_by()
        given = {number: values for number, values, _pk in rows}
        return {
            worth[line.deal_id] for line in with_lines if self._differs(line.deal, given[worth[line.deal_id]])
        }

    def _differs(self, deal: Deal, values: Values) -> bool:
        amount, currency = values.get("amount"), values.get("currency")
        return bool(
            (amount and Decimal(amount) != deal.amount) or (currency and currency != deal.currency_id)
        )

    def _move(self, pk: int, values: Values) -> tuple[str, dict] | None:
        """Asks for the row's stage and status; why that is refused, None where it is not."""
        deal = Deal.objects.visible_to(self.by, "edit").select_related("stage").filter(pk=pk).first()
        if deal is None:
            return None
        stage = self._stage(deal.funnel_id, values["stage"]) if values.get("stage") else deal.stage
        status = values.get("status") or deal.status
        if (stage.pk, status) == (deal.stage_id, deal.status):
            return None
        if status != deal.status and (fault := self._reason_fault(values)):
            return fault
        outcome = (
            self.reasons.get((status, values.get("outcome_reason", ""))) if status != deal.status else None
        )
        try:
            with transaction.atomic(), override(self.by.language):
                request_stage(
                    deal=deal, stage=stage, status=status, by=self.by, outcome_reason=outcome,
                    loss_reason=self.entry(LossReason, "loss_reason", values.get("loss_reason")),
                    via=_("import of %(file)s") % {"file": self.run.file.name[:120]},
                )  # fmt: skip
        except StageRefused as refusal:
            return "stage_refused", {"why": first_text(refusal)}
        return None

    def _save(self, records: list[Deal], changed: dict) -> None:
        names = {deal.pk: [change.field for change in changed[deal.pk]] for deal in records}
        super()._save(records, changed)
        refresh_worth(deal for deal in records if not {"amount", "currency"}.isdisjoint(names[deal.pk]))
        rows = [row for deal in records for row in ledger_rows(deal=deal, fields=names[deal.pk], by=self.by)]
        write_rows(rows)
        later = [
            deal.pk
            for deal in records
            for change in changed[deal.pk]
            if change.field == "close_date" and change.old and change.new and change.new > change.old
        ]
        Deal.objects.filter(pk__in=later).update(close_date_slips=F("close_date_slips") + 1)
        for deal in records:
            deal_changed.send(Deal, deal=deal, by=self.by, fields=names[deal.pk])

    def after_update(self, records: dict[int, Deal], rows: dict[int, Values]) -> None:
        for deal in self._link_people(records, rows):
            deal_changed.send(Deal, deal=deal, by=self.by, fields=["contacts"])
