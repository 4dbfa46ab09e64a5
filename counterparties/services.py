"""Creating and editing counterparties and contacts, and linking the ones to the others."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.category_choice import clean_categories, demand_required
from counterparties.cleaning import clean_values
from counterparties.hierarchy import demand_no_ring
from counterparties.models import Contact, ContactLink, Counterparty, CounterpartyType
from counterparties.rows import with_rows
from counterparties.signals import (
    contact_changed,
    contact_created,
    counterparty_changed,
    counterparty_created,
)
from crm.attributes.services import attributes_of, set_attributes, write_derived
from crm.history.editing import edit_record
from crm.history.kinds import named
from crm.history.services import record_event
from crm.notify.services import publish
from crm.people.access import kind_label
from crm.people.visibility import OwnedRecord, demand, demand_kind, may

COUNTERPARTY_FIELDS = {
    "name",
    "tax_number",
    "country",
    "phone",
    "email",
    "phones",
    "emails",
    "website",
    "city",
    "address",
    "postal_code",
    "region",
    "addresses",
    "registry_number",
    "statistical_number",
    "accounts",
    "industry",
    "employee_count",
    "parent",
    "categories",
    "note",
    "owner",
}
CONTACT_FIELDS = {
    "first_name",
    "last_name",
    "position",
    "phone",
    "email",
    "phones",
    "emails",
    "messengers",
    "note",
    "owner",
}


def save_new(record: OwnedRecord, *, values: dict, attributes: dict | None, by) -> None:
    """Fills, checks and saves an unsaved record of `by`'s, or of `values["owner"]` with the right to assign.

    `attributes` None: none were asked for, so required ones may be missing. Raises PermissionDenied, ValidationError.
    """
    model = type(record)
    demand_kind(by, "create", model)
    owner = values.pop("owner", None) or by
    if owner.pk != by.pk and not by.access.may(model, "assign"):
        raise PermissionDenied
    for field, value in values.items():
        setattr(record, field, value)
    record.owner = owner
    record.refresh_search()
    set_attributes(record, attributes or {}, partial=attributes is None, by=by)
    record.clean_fields(exclude=["owner", "department", "attributes", "search_text", "sort_key", "name_key"])
    record.save()
    write_derived(record, attributes_of(record.get_attribute_set_id()))


def demand_known(values: dict, known: set[str]) -> None:
    """Raises ValueError for fields that are not written this way: a mistake of the program, not of a person."""
    if unknown := set(values) - known:
        raise ValueError(f"not editable: {sorted(unknown)}")


def demand_assignable(record: OwnedRecord, values: dict, by) -> None:
    """Raises PermissionDenied when `values` hand the record to somebody else without the right to."""
    if "owner" in values and values["owner"] != record.owner:
        demand(by, "assign", record)


@transaction.atomic
def create_counterparty(
    *, counterparty_type: CounterpartyType, values: dict, attributes: dict | None = None, by, via: str = ""
) -> Counterparty:
    """Raises PermissionDenied, ValidationError (keyed by field or `attr_key`)."""
    demand_known(values, COUNTERPARTY_FIELDS)
    counterparty = Counterparty()
    values = with_rows(counterparty, clean_values(values), values)
    values["counterparty_type"] = counterparty_type
    _read_categories(values, by_form=attributes is not None)
    if not values.get("name"):
        raise ValidationError({"name": _("This value is required.")})
    demand_no_ring(counterparty, values.get("parent"), by)
    save_new(counterparty, values=values, attributes=attributes, by=by)
    record_event(
        kind="counterparty_created",
        subject=counterparty,
        by=by,
        payload={"type": named(counterparty_type)},
        via=via,
        version=counterparty.version,
    )
    counterparty_created.send(Counterparty, counterparty=counterparty, by=by)
    return counterparty


@transaction.atomic
def edit_counterparty(
    *,
    counterparty: Counterparty,
    values: dict,
    attributes: dict | None = None,
    version: int,
    by,
    via: str = "",
) -> list[str]:
    """Changes fields and attributes; returns the names of those that differ, attributes as `attr_key`.

    Another type is another schema: see `counterparties.retyping`. Raises PermissionDenied, EditConflict,
    ValidationError.
    """
    demand_known(values, COUNTERPARTY_FIELDS)
    demand_assignable(counterparty, values, by)
    values = with_rows(counterparty, clean_values(values, country=counterparty.country), values)
    _read_categories(values, by_form=attributes is not None)
    if values.get("parent") != counterparty.parent and "parent" in values:
        demand_no_ring(counterparty, values["parent"], by)
    event = edit_record(
        record=counterparty,
        values=values,
        attributes=attributes,
        version=version,
        by=by,
        kind="counterparty_changed",
        via=via,
    )
    fields = changed_fields(event)
    if fields:
        counterparty_changed.send(Counterparty, counterparty=counterparty, by=by, fields=fields)
        publish(kind=kind_label(Counterparty), record=counterparty)
    return fields


def _read_categories(values: dict, *, by_form: bool) -> None:
    """The categories chosen by hand as they are stored; a form must choose one of each required group."""
    if "categories" in values:
        values["categories"] = clean_categories(values["categories"])
        if by_form:
            demand_required(values["categories"])


def changed_fields(event) -> list[str]:
    """The names of the fields that the event (None for nothing) changed."""
    return [change.field for change in event.changes.all()] if event is not None else []


@transaction.atomic
def create_contact(
    *,
    values: dict,
    attributes: dict | None = None,
    by,
    counterparty: Counterparty | None = None,
    role: str = "",
    via: str = "",
) -> Contact:
    """A new person, standing for `counterparty` when one is given: the first one there becomes the primary contact.

    Raises PermissionDenied, ValidationError (keyed by field or `attr_key`).
    """
    demand_known(values, CONTACT_FIELDS)
    contact = Contact()
    values = with_rows(contact, clean_values(values), values)
    if not (values.get("first_name") or values.get("last_name")):
        raise ValidationError({"last_name": _("Give the first or the last name.")})
    save_new(contact, values=values, attributes=attributes, by=by)
    record_event(
        kind="contact_created", subject=contact, by=by, cards=[counterparty], via=via, version=contact.version
    )
    if counterparty is not None:
        link_contact(counterparty=counterparty, contact=contact, role=role, by=by, via=via)
    contact_created.send(Contact, contact=contact, by=by, counterparty=counterparty)
    return contact


@transaction.atomic
def edit_contact(
    *, contact: Contact, values: dict, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """As `edit_counterparty`; the change stands on the cards of the contact's counterparties too."""
    demand_known(values, CONTACT_FIELDS)
    demand_assignable(contact, values, by)
    values = with_rows(contact, clean_values(values), values)
    merged = {"first_name": contact.first_name, "last_name": contact.last_name, **values}
    if not (merged["first_name"] or merged["last_name"]):
        raise ValidationError({"last_name": _("Give the first or the last name.")})
    event = edit_record(
        record=contact,
        values=values,
        attributes=attributes,
        version=version,
        by=by,
        kind="contact_changed",
        cards=list(contact.counterparties.all()),
        via=via,
    )
    fields = changed_fields(event)
    if fields:
        contact_changed.send(Contact, contact=contact, by=by, fields=fields)
        publish(kind=kind_label(Contact), record=contact)
    return fields


@transaction.atomic
def link_contact(
    *,
    counterparty: Counterparty,
    contact: Contact,
    role: str = "",
    is_primary: bool = False,
    since: date | None = None,
    until: date | None = None,
    by,
    via: str = "",
) -> ContactLink:
    """Lets the contact stand for the counterparty; a repeated call gives the link there is, with the new role.

    The first contact of a counterparty becomes the primary one. Raises PermissionDenied unless `by` sees both.
    """
    demand(by, "view", counterparty)
    demand(by, "view", contact)
    role = " ".join(role.split())[:80]
    _demand_order(since, until)
    Counterparty.objects.select_for_update().get(pk=counterparty.pk)
    others = ContactLink.objects.filter(counterparty=counterparty).exclude(contact=contact)
    is_primary = is_primary or not others.exists()
    if is_primary:
        others.filter(is_primary=True).update(is_primary=False)
    link, is_new = ContactLink.objects.get_or_create(
        counterparty=counterparty,
        contact=contact,
        defaults={"role": role, "is_primary": is_primary, "since": since, "until": until},
    )
    if not is_new:
        link.role, link.is_primary = role or link.role, is_primary or link.is_primary
        link.save()
        return link
    payload = {"contact": str(contact), "counterparty": counterparty.name}
    record_event(
        kind="contact_linked", subject=contact, by=by, cards=[counterparty], payload=payload, via=via
    )
    return link


def _demand_order(since: date | None, until: date | None) -> None:
    if since and until and until < since:
        raise ValidationError({"until": _("It ends before it begins.")})


@transaction.atomic
def edit_link(
    *,
    link: ContactLink,
    role: str,
    is_primary: bool,
    since: date | None,
    until: date | None,
    by,
    via: str = "",
) -> bool:
    """Changes what the contact is at the counterparty; whether anything differs. A primary one displaces the other.

    Raises PermissionDenied unless `by` may edit either, ValidationError for an end before the beginning.
    """
    if not may(by, "edit", link.counterparty):
        demand(by, "edit", link.contact)
    _demand_order(since, until)
    Counterparty.objects.select_for_update().get(pk=link.counterparty_id)
    wanted = {"role": " ".join(role.split())[:80], "is_primary": is_primary, "since": since, "until": until}
    if all(getattr(link, name) == value for name, value in wanted.items()):
        return False
    if is_primary:
        ContactLink.objects.filter(counterparty=link.counterparty_id).exclude(pk=link.pk).update(
            is_primary=False
        )
    for name, value in wanted.items():
        setattr(link, name, value)
    link.save()
    payload = {"contact": str(link.contact), "counterparty": link.counterparty.name, "note": wanted["role"]}
    record_event(
        kind="contact_link_changed",
        subject=link.contact,
        by=by,
        cards=[link.counterparty],
        payload=payload,
        via=via,
    )
    return True


@transaction.atomic
def unlink_contact(*, link: ContactLink, by, via: str = "") -> None:
    """The contact does not stand for the counterparty any more. Raises PermissionDenied unless `by` may edit either."""
    if not Counterparty.objects.visible_to(by, "edit").filter(pk=link.counterparty_id).exists():
        demand(by, "edit", link.contact)
    payload = {"contact": str(link.contact), "counterparty": link.counterparty.name}
    record_event(
        kind="contact_unlinked",
        subject=link.contact,
        by=by,
        cards=[link.counterparty],
        payload=payload,
        via=via,
    )
    link.delete()
