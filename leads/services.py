"""Leads: creating, editing, and every change of status. Conversion lives in `leads.conversion`."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from counterparties.cleaning import clean_values
from counterparties.services import changed_fields, demand_assignable, demand_known, save_new
from crm.history.editing import edit_record
from crm.history.kinds import named
from crm.history.services import record_event
from crm.notify.services import publish
from crm.people.fields import unmask
from crm.people.visibility import demand
from leads.conversion import Conversion, convert_lead, locked
from leads.models import LEAD_KIND, OPEN_STATUSES, Lead, LeadStatus, UnqualifiedReason
from leads.notices import tell_owners
from leads.response import deadline, minutes_taken, watch
from leads.signals import lead_changed, lead_created, lead_status_changed

__all__ = [
    "Conversion",
    "LeadNotOpen",
    "convert_lead",
    "create_lead",
    "disqualify_lead",
    "edit_lead",
    "mark_duplicate",
    "reopen_lead",
    "set_unreachable",
    "start_work",
]

LEAD_FIELDS = {
    "name",
    "company",
    "first_name",
    "last_name",
    "position",
    "tax_number",
    "phone",
    "email",
    "website",
    "city",
    "note",
    "source",
    "owner",
}


class LeadNotOpen(ValidationError):
    """The lead's present status does not allow the step."""


@transaction.atomic
def create_lead(*, values: dict, attributes: dict | None = None, by, via: str = "") -> Lead:
    """A new lead, called by its company, person, e-mail or phone: one of them must be there.

    Raises PermissionDenied, ValidationError (keyed by field or `attr_key`).
    """
    demand_known(values, LEAD_FIELDS)
    values = clean_values(values)
    demand_called(values)
    lead = Lead(respond_by=deadline(values.get("source"), timezone.now()))
    save_new(lead, values=values, attributes=attributes, by=by)
    record_event(kind="lead_created", subject=lead, by=by, via=via, version=lead.version)
    watch([lead.respond_by])
    lead_created.send(Lead, lead=lead, by=by)
    if lead.owner_id != by.pk:
        tell_owners([lead], by=by)
    publish(kind=LEAD_KIND, record=lead)
    return lead


def demand_called(values: dict) -> None:
    """Raises ValidationError when nothing says who the lead is."""
    if not any(
        values.get(field) for field in ("name", "company", "first_name", "last_name", "email", "phone")
    ):
        raise ValidationError({"company": _("Give a company, a person, a phone or an e-mail.")})


@transaction.atomic
def edit_lead(
    *, lead: Lead, values: dict, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """Changes fields and attributes; returns the names of those that differ, attributes as `attr_key`.

    Raises PermissionDenied, EditConflict, ValidationError.
    """
    demand_known(values, LEAD_FIELDS)
    demand_assignable(lead, values, by)
    values = clean_values(values)
    unmask(lead)
    demand_called({**{field: getattr(lead, field) for field in LEAD_FIELDS - {"name", "owner"}}, **values})
    event = edit_record(
        record=lead,
        values=values,
        attributes=attributes,
        version=version,
        by=by,
        kind="lead_changed",
        via=via,
    )
    fields = changed_fields(event)
    if "owner" in fields:
        tell_owners([lead], by=by)
    if fields:
        lead_changed.send(Lead, lead=lead, by=by, fields=fields)
        publish(kind=LEAD_KIND, record=lead)
    return fields


@transaction.atomic
def start_work(*, lead: Lead, by, via: str = "") -> bool:
    """A new lead is in work from its first activity on; whether this call made it so. Needs the right to view it."""
    demand(by, "view", lead)
    now = timezone.now()
    taken = Lead.objects.filter(pk=lead.pk, status=LeadStatus.NEW)
    minutes = minutes_taken(lead.created_at, now)
    answered = {"first_response_at": now, "response_minutes": minutes, "updated_at": now}
    if not taken.update(status=LeadStatus.IN_WORK, **answered):
        return False
    lead.refresh_from_db()
    _tell(lead, "lead_in_work", before=LeadStatus.NEW, by=by, via=via)
    return True


@transaction.atomic
def disqualify_lead(*, lead: Lead, reason: UnqualifiedReason, note: str = "", by, via: str = "") -> Lead:
    """Gives the lead up. Raises PermissionDenied, LeadNotOpen, ValidationError without a reason."""
    if reason is None:
        raise ValidationError({"reason": _("Choose why.")})
    values = {"status": LeadStatus.UNQUALIFIED, "reason": reason, "status_note": note.strip()}
    return _close(lead, values, "lead_disqualified", by=by, via=via, payload={"reason": named(reason)})


@transaction.atomic
def set_unreachable(*, lead: Lead, note: str = "", by, via: str = "") -> Lead:
    """Nobody answers there. Raises PermissionDenied, LeadNotOpen."""
    values = {"status": LeadStatus.UNREACHABLE, "status_note": note.strip()}
    return _close(lead, values, "lead_unreachable", by=by, via=via)


@transaction.atomic
def mark_duplicate(*, lead: Lead, of: Lead | None = None, note: str = "", by, via: str = "") -> Lead:
    """The same as another lead, or as a client we have. Raises PermissionDenied, LeadNotOpen."""
    if of is not None:
        demand(by, "view", of)
        if of.pk == lead.pk:
            raise ValidationError(_("A lead is not a duplicate of itself."))
    values = {"status": LeadStatus.DUPLICATE, "duplicate_of": of, "status_note": note.strip()}
    return _close(lead, values, "lead_duplicate", by=by, via=via)


@transaction.atomic
def reopen_lead(*, lead: Lead, note: str = "", by, via: str = "") -> Lead:
    """Back to work, with the right to reopen. Raises PermissionDenied, LeadNotOpen for an open or converted lead."""
    demand(by, "reopen", lead)
    fresh = locked(lead)
    if fresh.is_open or fresh.status == LeadStatus.QUALIFIED:
        raise LeadNotOpen(_("Only a lead that was given up can be reopened."))
    status = LeadStatus.IN_WORK if fresh.first_response_at else LeadStatus.NEW
    cleared = {"reason": None, "status_note": "", "duplicate_of": None}
    return _write(
        lead, fresh, {"status": status, **cleared}, "lead_reopened", by=by, via=via, note=note.strip()
    )


def _close(lead: Lead, values: dict, event: str, *, by, via: str, payload: dict | None = None) -> Lead:
    demand(by, "edit", lead)
    fresh = locked(lead)
    if fresh.status not in OPEN_STATUSES:
        raise LeadNotOpen(
            _("The lead is %(status)s already. Reopen it first."),
            params={"status": fresh.get_status_display()},
        )
    return _write(lead, fresh, values, event, by=by, via=via, note=values["status_note"], payload=payload)


def _write(
    lead: Lead, fresh: Lead, values: dict, event: str, *, by, via: str, note: str, payload=None
) -> Lead:
    before = fresh.status
    for field, value in values.items():
        setattr(fresh, field, value)
    fresh.version += 1
    fresh.save()
    lead.refresh_from_db()
    _tell(lead, event, before=before, by=by, via=via, payload={**(payload or {}), "note": note})
    return lead


def _tell(lead: Lead, event: str, *, before: str, by, via: str, payload: dict | None = None) -> None:
    record_event(kind=event, subject=lead, by=by, payload=payload, via=via, version=lead.version)
    lead_status_changed.send(Lead, lead=lead, before=before, by=by)
    publish(kind=LEAD_KIND, record=lead)
