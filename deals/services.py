"""Opening and editing deals. Moving them lives in `deals.moves`; its verbs are offered here too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from crm.attributes.services import attributes_of, set_attributes, write_derived
from crm.files.models import StoredFile
from crm.files.services import store_file
from crm.history.editing import edit_record
from crm.history.kinds import named
from crm.history.services import record_event
from crm.money.models import default_currency
from crm.notify.services import publish
from crm.people.visibility import demand, demand_kind
from deals.events import cards_of
from deals.ledger import write_transition, write_worth
from deals.models import Deal, DealContact, DealLine, DealType, Payment, TransitionCause
from deals.moves import (
    apply_request,
    first_text,
    locked,
    override_request,
    pending_request,
    refuse_request,
    release_hold,
    request_stage,
    review_request,
    set_waits,
    withdraw_request,
)
from deals.numbering import take_number
from deals.rules import RequestDecided, StageRefused
from deals.signals import deal_changed, deal_created, deal_file_attached
from deals.worth import refresh_worth
from funnel.models import Stage

__all__ = [
    "RequestDecided", "StageRefused", "apply_request", "attach_to_deal", "create_deal", "edit_deal", "first_text",
    "override_request", "pending_request", "refuse_request", "release_hold", "request_stage", "review_request",
    "set_contact_role", "set_contacts", "set_waits", "withdraw_request",
]  # fmt: skip

EDITABLE = {"name", "counterparty", "owner", "amount", "currency", "close_date"}


def default_deal_type() -> DealType:
    """The type a deal gets when none was chosen. Raises ValidationError when an administrator has made none."""
    found = (
        DealType.objects.filter(is_active=True)
        .select_related("funnel")
        .order_by("-is_default", "position", "id")
        .first()
    )
    if found is None:
        raise ValidationError(_("There is no type of deal yet. An administrator makes one."))
    return found


@transaction.atomic
def create_deal(
    *, name: str, counterparty, deal_type: DealType | None = None, by, owner=None, amount: Decimal | None = None,
    currency=None, close_date: date | None = None, contacts: Iterable = (),
    attributes: dict | None = None, via: str = "",
) -> Deal:  # fmt: skip
    """Opens a deal at the first stage of its type's funnel. `currency`: a Currency or its code.

    Raises PermissionDenied (the right to create, a counterparty out of sight, another's deal without the right to
    assign) and ValidationError (fields, attributes).
    """
    demand_kind(by, "create", Deal)
    demand(by, "view", counterparty)
    owner = owner or by
    if owner.pk != by.pk and not by.access.may(Deal, "assign"):
        raise PermissionDenied
    deal_type = deal_type or default_deal_type()
    deal = Deal(
        name=" ".join(name.split()), counterparty=counterparty, deal_type=deal_type, funnel=deal_type.funnel,
        stage=(first := _first_stage(deal_type)), proven_stage=first, owner=owner, amount=amount,
        currency_id=getattr(currency, "pk", currency) or default_currency(), close_date=close_date,
    )  # fmt: skip
    set_attributes(deal, attributes or {}, partial=attributes is None, by=by)
    deal.clean_fields(
        exclude=[
            field.name for field in Deal._meta.fields if field.name not in {"name", "amount", "close_date"}
        ]
    )
    deal.number = take_number(deal_type=deal_type)
    deal.save()
    write_derived(deal, attributes_of(deal.get_attribute_set_id()))
    people = list(contacts)
    DealContact.objects.bulk_create(DealContact(deal=deal, contact=contact) for contact in people)
    refresh_worth([deal])
    write_transition(deal=deal, cause=TransitionCause.CREATED, by=by, via=via)
    record_event(
        kind="deal_created", subject=deal, by=by, cards=[counterparty, *people], payload={"stage": named(deal.stage)},
        via=via, version=deal.version,
    )  # fmt: skip
    deal_created.send(Deal, deal=deal, by=by)
    publish(kind="deals.deal", record=deal)
    return deal


def _first_stage(deal_type: DealType) -> Stage:
    try:
        return deal_type.funnel.first_stage()
    except Stage.DoesNotExist:
        raise ValidationError(
            _("The funnel “%(funnel)s” has no stages yet.") % {"funnel": deal_type.funnel}
        ) from None


@transaction.atomic
def edit_deal(
    *, deal: Deal, values: dict, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """Changes fields and attributes; returns the names of those that differ, attributes as `attr_key`.

    `values` may hold name, counterparty, owner, amount, currency and close_date. A new owner needs the right to assign.
    Raises PermissionDenied, EditConflict, ValidationError.
    """
    if unknown := set(values) - EDITABLE:
        raise ValueError(f"not editable: {sorted(unknown)}")
    before = locked(deal)
    _demand_free_amount(before, values)
    if "owner" in values and values["owner"] != before.owner:
        demand(by, "assign", before)
    if "counterparty" in values and values["counterparty"] != before.counterparty:
        demand(by, "view", values["counterparty"])
    cards = [*cards_of(before), values.get("counterparty")]
    event = edit_record(
        record=deal,
        values=values,
        attributes=attributes,
        version=version,
        by=by,
        kind="deal_changed",
        cards=cards,
        via=via,
        locked=before,
    )
    if event is None:
        return []
    fields = [change.field for change in event.changes.all()]
    if _put_off(before, deal):
        Deal.objects.filter(pk=deal.pk).update(close_date_slips=F("close_date_slips") + 1)
        deal.refresh_from_db(fields=["close_date_slips"])
    write_worth(deal=deal, fields=fields, by=by, via=via)
    deal_changed.send(Deal, deal=deal, by=by, fields=fields)
    publish(kind="deals.deal", record=deal)
    return fields


def _demand_free_amount(before: Deal, values: dict) -> None:
    """Raises ValidationError when lines decide what the deal is worth, and in which currency."""
    wanted = [
        name for name in ("amount", "currency") if name in values and values[name] != getattr(before, name)
    ]
    if wanted and DealLine.objects.filter(deal=before).exists():
        raise ValidationError({wanted[0]: _("The amount is the sum of the lines. Change the lines instead.")})
    if "currency" in wanted and Payment.objects.filter(deal=before).exists():
        raise ValidationError(
            {"currency": _("The deal has payments in the present currency. Remove them first.")}
        )


def _put_off(before: Deal, after: Deal) -> bool:
    return (
        before.close_date is not None
        and after.close_date is not None
        and after.close_date > before.close_date
    )


@transaction.atomic
def set_contacts(*, deal: Deal, contacts: Iterable, by) -> bool:
    """Makes these the people of the negotiation; roles of those who stay are kept. Whether anything changed."""
    wanted = {contact.pk: contact for contact in contacts}
    present = set(DealContact.objects.filter(deal=deal).values_list("contact_id", flat=True))
    if present == set(wanted):
        return False
    demand(by, "edit", deal)
    DealContact.objects.filter(deal=deal).exclude(contact_id__in=wanted).delete()
    DealContact.objects.bulk_create(
        DealContact(deal=deal, contact_id=pk) for pk in wanted if pk not in present
    )
    record_event(
        kind="deal_contacts_changed", subject=deal, by=by, cards=[deal.counterparty, *wanted.values()]
    )
    deal_changed.send(Deal, deal=deal, by=by, fields=["contacts"])
    publish(kind="deals.deal", record=deal)
    return True


@transaction.atomic
def set_contact_role(*, person: DealContact, role: str, by) -> bool:
    """Says what a contact is in the negotiation; whether that is news. Raises PermissionDenied, ValidationError."""
    demand(by, "edit", person.deal)
    fresh = (
        DealContact.objects.select_for_update(of=("self",))
        .select_related("deal__counterparty", "contact")
        .get(pk=person.pk)
    )
    before, fresh.role = fresh.role, " ".join(role.replace("\x00", "").split())
    if before == fresh.role:
        return False
    fresh.clean_fields(exclude=["deal", "contact"])
    fresh.save(update_fields=["role"])
    record_event(
        kind="deal_contact_role", subject=fresh.deal, by=by, cards=[fresh.deal.counterparty, fresh.contact],
        payload={"role": fresh.role or "–"},
    )  # fmt: skip
    deal_changed.send(Deal, deal=fresh.deal, by=by, fields=["contacts"])
    publish(kind="deals.deal", record=fresh.deal)
    return True


@transaction.atomic
def attach_to_deal(*, deal: Deal, upload, label: str = "", by, via: str = "") -> StoredFile:
    """Puts an uploaded file on the deal's card. Raises PermissionDenied, ValidationError (size, kind of file)."""
    demand(by, "edit", deal)
    stored = store_file(upload=upload, by=by, record=deal, label=label)
    record_file(deal=deal, stored=stored, by=by, via=via)
    return stored


@transaction.atomic
def record_file(*, deal: Deal, stored: StoredFile, by, via: str = "") -> None:
    """Tells history and the areas above that a stored file came onto the deal's card."""
    payload = {"file": stored.name, "label": stored.label}
    record_event(
        kind="deal_file_attached", subject=deal, by=by, cards=cards_of(deal), payload=payload, via=via
    )
    deal_file_attached.send(Deal, deal=deal, file=stored, by=by)
    publish(kind="deals.deal", record=deal)
