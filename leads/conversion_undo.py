"""Taking a conversion back: the lead is open again; what was made of it goes into the bin unless it was worked on."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.models import ContactLink
from crm.files.models import StoredFile
from crm.history.bin import StillNeeded, delete_record
from crm.history.models import Event, EventLink
from crm.history.services import record_event
from crm.history.undoing import UNDO
from crm.notify.services import publish
from crm.people.access import kind_label
from crm.people.visibility import demand
from leads.conversion import locked
from leads.models import LEAD_KIND, OPEN_STATUSES, Lead, LeadStatus
from leads.services import LeadNotOpen
from leads.signals import lead_conversion_undone, lead_status_changed

# A deal hangs on its counterparty, so it goes first.
PARTS = ("deal", "contact", "counterparty")


@dataclass
class Undone:
    """What went into the bin, and what stays: because it was there before, is worked on, or may not be deleted."""

    removed: list = field(default_factory=list)
    kept: list = field(default_factory=list)


def conversion_of(lead: Lead) -> Event | None:
    """The event of the lead's last conversion."""
    events = Event.objects.filter(subject_kind=LEAD_KIND, subject_id=lead.pk, kind="lead_converted")
    return events.order_by("-pk").first()


def plan_undo(lead: Lead) -> Undone:
    """What an undo would remove and keep, as things stand now."""
    event, plan = conversion_of(lead), Undone()
    for name in PARTS:
        record = getattr(lead, name)
        if record is not None:
            (plan.removed if _is_untouched(record, name, event) else plan.kept).append(record)
    return plan


def _is_untouched(record, name: str, event: Event | None) -> bool:
    """Made by the conversion, and nothing has come onto its card since."""
    if event is None or name not in event.payload.get("made", []):
        return False
    later = EventLink.objects.filter(kind=kind_label(type(record)), record_id=record.pk, event__gt=event.pk)
    return not later.exists()


@transaction.atomic
def undo_conversion(*, lead: Lead, by) -> Undone:
    """The lead is as open as before. Raises PermissionDenied, LeadNotOpen for a lead that is not converted."""
    demand(by, "convert", lead)
    fresh = locked(lead)
    if fresh.status != LeadStatus.QUALIFIED:
        raise LeadNotOpen(_("This lead is not converted."))
    event, plan = conversion_of(fresh), plan_undo(fresh)
    records = {name: getattr(fresh, name) for name in PARTS}
    _reopen(fresh, event)
    lead.refresh_from_db()
    if event is not None:
        _take_back_history(lead, [one for one in records.values() if one is not None], event)
        ContactLink.objects.filter(pk=event.payload.get("link")).delete()
        _forget_files(event)
    lead_conversion_undone.send(Lead, lead=lead, by=by, **records)
    done = _remove(plan, by)
    names = ", ".join(str(record) for record in done.kept)
    record_event(
        kind="lead_conversion_undone",
        subject=lead,
        by=by,
        cards=done.kept,
        payload={"kept": names},
        version=lead.version,
    )
    lead_status_changed.send(Lead, lead=lead, before=LeadStatus.QUALIFIED, by=by)
    publish(kind=LEAD_KIND, record=lead)
    return done


def _reopen(fresh: Lead, event: Event | None) -> None:
    payload = event.payload if event is not None else {}
    before = payload.get("before")
    fresh.status = before if before in OPEN_STATUSES else LeadStatus.IN_WORK
    fresh.converted_at = fresh.counterparty = fresh.contact = fresh.deal = None
    if fresh.status == LeadStatus.NEW:
        fresh.first_response_at = fresh.response_minutes = None
    fresh.version += 1
    fresh.save()


def _take_back_history(lead: Lead, records: list, event: Event) -> None:
    """What the conversion let stand on the other cards stands on the lead's alone again."""
    carried = EventLink.objects.filter(kind=LEAD_KIND, record_id=lead.pk, event__lt=event.pk).values("event")
    for record in records:
        label = kind_label(type(record))
        links = EventLink.objects.filter(kind=label, record_id=record.pk, event__in=carried)
        links.exclude(event__subject_kind=label, event__subject_id=record.pk).delete()


def _forget_files(event: Event) -> None:
    """Copies that were made for the deal."""
    for stored in StoredFile.objects.filter(pk__in=event.payload.get("files", [])):
        name, storage = stored.content.name, stored.content.storage
        stored.delete()
        transaction.on_commit(lambda name=name, storage=storage: storage.delete(name))


def _remove(plan: Undone, by) -> Undone:
    done = Undone(kept=list(plan.kept))
    for record in plan.removed:
        try:
            with transaction.atomic():
                delete_record(record=record, by=by, via=UNDO)
            done.removed.append(record)
        except (PermissionDenied, StillNeeded):
            done.kept.append(record)
    return done
