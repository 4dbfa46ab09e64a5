"""What counterparties and contacts tell the frame: their kinds, events, menu entries, and panels of each other."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from counterparties.callers import register_callers
from counterparties.categories import category_rule
from counterparties.consents import address_refuses
from counterparties.handover import may_hand_over
from counterparties.lists import ContactList, CounterpartyList
from counterparties.models import Contact, Counterparty, Industry, Region
from counterparties.retyping import EVENT as TYPE_CHANGED
from counterparties.retyping import plan_restoring, restore_type
from counterparties.rows import SINGLES
from counterparties.services import CONTACT_FIELDS, COUNTERPARTY_FIELDS, edit_contact, edit_counterparty
from crm.history.bin import register_deletable
from crm.history.kinds import EventKind, Group, register_event
from crm.history.undoing import Editor, Replay, register_editor, register_replay
from crm.listing.links import BulkLink, register_bulk_link
from crm.listing.lists import register_list
from crm.listing.portfolio import PortfolioKind, register_portfolio
from crm.notify.notices import Notice, register_notice
from crm.operations.reach import register_refusal
from crm.people.access import register_category_rule
from crm.people.fields import register_followers
from crm.people.kinds import RecordKind, register_kind
from crm.people.phones import show_phone
from crm.web.dictionaries import Dictionary, register_dictionary
from crm.web.registry import (
    MenuEntry,
    Panel,
    QuickCreate,
    register_menu,
    register_panel,
    register_quick_create,
)

EVENTS = (
    EventKind(
        "counterparty_created", _("added the counterparty (%(type)s)"), "plus-circle", Group.CHANGE, "blue"
    ),
    EventKind("counterparty_changed", _("changed the counterparty"), "pencil", Group.CHANGE, "grey"),
    EventKind(
        "counterparty_type_changed",
        _("changed the type: %(old)s → %(new)s"),
        "arrow-left-right",
        Group.CHANGE,
        "blue",
    ),
    EventKind("contact_created", _("added the contact"), "person-plus", Group.CHANGE, "blue"),
    EventKind("contact_changed", _("changed the contact"), "pencil", Group.CHANGE, "grey"),
    EventKind(
        "contact_linked", _("linked %(contact)s with %(counterparty)s"), "link-45deg", Group.CHANGE, "grey"
    ),
    EventKind(
        "contact_link_changed",
        _("changed the role of %(contact)s at %(counterparty)s"),
        "person-badge",
        Group.CHANGE,
        "grey",
    ),
    EventKind(
        "contact_unlinked",
        _("removed the link of %(contact)s with %(counterparty)s"),
        "x-lg",
        Group.CHANGE,
        "grey",
    ),
    EventKind(
        "consent_given", _("agreed to be reached by %(channel)s"), "check-circle", Group.CHANGE, "green"
    ),
    EventKind(
        "consent_refused",
        _("does not wish to be reached by %(channel)s"),
        "slash-circle",
        Group.CHANGE,
        "red",
    ),
)

COUNTERPARTY = "counterparties.counterparty"
CONTACT = "counterparties.contact"


def counterparty_facts(counterparty: Counterparty) -> dict:
    """The values expressions of a process may read; attributes by their keys."""
    fields = ("name", "tax_number", "country", "phone", "email", "city")
    return {
        **counterparty.attributes,
        **{field: getattr(counterparty, field) for field in fields},
        "type": counterparty.counterparty_type.key,
        "owner": counterparty.owner.username if counterparty.owner else None,
    }


def contact_facts(contact: Contact) -> dict:
    fields = ("first_name", "last_name", "position", "phone", "email")
    return {
        **contact.attributes,
        **{field: getattr(contact, field) for field in fields},
        "owner": contact.owner.username if contact.owner else None,
    }


def _words(*parts) -> str:
    return " · ".join(part for part in parts if part)


def register_counterparties() -> None:
    register_dictionary(
        Dictionary(Industry, _("What counterparties live by.")),
        Dictionary(Region, _("How sales are divided."), ("country",), group="country"),
    )
    register_refusal(address_refuses)
    for kind in (COUNTERPARTY, CONTACT):
        register_followers(kind, {many: single for single, many in SINGLES.items()})
    register_category_rule(COUNTERPARTY, category_rule)
    register_list(CounterpartyList, ContactList)
    register_portfolio(PortfolioKind(COUNTERPARTY, 10, traits={"counterparty": ("pk",)}))
    register_portfolio(PortfolioKind(CONTACT, 20, traits={"counterparty": ("counterparties",)}))
    register_kind(
        RecordKind(
            Counterparty,
            _("counterparty"),
            _("counterparties"),
            "building",
            "counterparties:counterparty_detail",
            searchable=True,
            facts=counterparty_facts,
            fact_related=("counterparty_type__key", "owner", "department"),
            summary=lambda record: _words(record.city, record.tax_number, show_phone(record.phone)),
        )
    )
    register_kind(
        RecordKind(
            Contact,
            _("contact"),
            _("contacts"),
            "person-vcard",
            "counterparties:contact_detail",
            searchable=True,
            facts=contact_facts,
            fact_related=("owner", "department"),
            summary=lambda record: _words(record.position, show_phone(record.phone), record.email),
        )
    )
    register_notice(Notice("duplicates_found", _("My search for duplicates is done"), "files"))
    register_deletable(COUNTERPARTY, CONTACT)
    register_callers(Contact, 10)
    register_callers(Counterparty, 20)
    _register_editors()
    register_event(*EVENTS)
    _register_pages()


def _register_editors() -> None:
    # The type decides which attributes there are, so a change of it is not taken back field by field.
    register_replay(TYPE_CHANGED, Replay(plan_restoring, restore_type))
    register_editor(
        Editor(
            COUNTERPARTY,
            frozenset(COUNTERPARTY_FIELDS),
            lambda record, **edit: edit_counterparty(counterparty=record, **edit),
        )
    )
    register_editor(
        Editor(
            CONTACT, frozenset(CONTACT_FIELDS), lambda record, **edit: edit_contact(contact=record, **edit)
        )
    )


def _register_pages() -> None:
    register_menu(
        MenuEntry(
            "counterparties",
            _("Counterparties"),
            "building",
            "counterparties:counterparty_list",
            20,
            kind=COUNTERPARTY,
        )
    )
    register_menu(
        MenuEntry("contacts", _("Contacts"), "person-vcard", "counterparties:contact_list", 30, kind=CONTACT)
    )
    register_menu(
        MenuEntry(
            "handovers",
            _("Hand-overs"),
            "arrow-left-right",
            "counterparties:handover_list",
            92,
            allowed=may_hand_over,
        )
    )
    register_quick_create(
        QuickCreate(
            _("Counterparty"), "building", "counterparties:counterparty_create", kind=COUNTERPARTY, order=20
        )
    )
    register_quick_create(
        QuickCreate(_("Contact"), "person-vcard", "counterparties:contact_create", kind=CONTACT, order=25)
    )
    register_bulk_link(BulkLink(_("vCards"), "person-vcard", "counterparties:vcards", _may_take_cards))
    _register_panels()


def _may_take_cards(user, kind: str) -> bool:
    return kind in (COUNTERPARTY, CONTACT) and user.access.may(kind, "export")


def _register_panels() -> None:
    register_panel(
        Panel(
            COUNTERPARTY,
            "contacts",
            _("Contacts"),
            10,
            "counterparties:counterparty_contacts",
            count=lambda record, user: (
                Contact.objects.visible_to(user).filter(links__counterparty=record).count()
            ),
            kind=CONTACT,
        )
    )
    register_panel(Panel(COUNTERPARTY, "group", _("Group"), 70, "counterparties:counterparty_group"))
    register_panel(
        Panel(
            CONTACT,
            "counterparties",
            _("Counterparties"),
            10,
            "counterparties:contact_counterparties",
            count=lambda record, user: (
                Counterparty.objects.visible_to(user).filter(contact_links__contact=record).count()
            ),
            kind=COUNTERPARTY,
        )
    )
