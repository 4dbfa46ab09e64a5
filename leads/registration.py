"""What leads tell the frame: their kind, events, menu entry, quick create, and the "what next" line of their card."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from counterparties.callers import first_phone, register_callers
from counterparties.matching.keys import register_traits
from counterparties.matching.registry import MergeKind, register_mergeable
from crm.history.bin import register_deletable
from crm.history.definitions import free_key
from crm.history.kinds import EventKind, Group, register_event
from crm.history.undoing import Editor, register_editor
from crm.listing.lists import register_list
from crm.listing.portfolio import PortfolioKind, register_portfolio
from crm.notify.notices import Notice, register_notice
from crm.people.kinds import RecordKind, register_kind
from crm.people.phones import show_phone
from crm.web.dictionaries import Dictionary, register_dictionary
from crm.web.registry import MenuEntry, QuickCreate, register_menu, register_quick_create
from leads.lists import LeadList
from leads.merging import check_merge, lead_traits
from leads.models import LEAD_KIND, OPEN_STATUSES, Lead, LeadSource, UnqualifiedReason
from leads.services import LEAD_FIELDS, edit_lead

RIGHTS = (("convert", _("convert a lead")), ("reopen", _("reopen a lead")))
EVENTS = (
    EventKind("lead_created", _("added the lead"), "plus-circle", Group.CHANGE, "blue"),
    EventKind("lead_changed", _("changed the lead"), "pencil", Group.CHANGE, "grey"),
    EventKind("lead_in_work", _("took the lead to work"), "play-circle", Group.STAGE, "blue"),
    EventKind(
        "lead_converted", _("converted the lead into %(counterparty)s"), "check-circle", Group.STAGE, "green"
    ),
    EventKind(
        "lead_conversion_undone",
        _("took the conversion back"),
        "arrow-counterclockwise",
        Group.STAGE,
        "amber",
    ),
    EventKind("lead_disqualified", _("gave the lead up: %(reason)s"), "x-circle", Group.STAGE, "red"),
    EventKind("lead_unreachable", _("marked the lead as unreachable"), "telephone-x", Group.STAGE, "amber"),
    EventKind("lead_duplicate", _("marked the lead as a duplicate"), "files", Group.STAGE, "grey"),
    EventKind("lead_assigned", _("assigned the lead: %(rule)s"), "person-check", Group.CHANGE, "blue"),
    EventKind(
        "lead_response_overdue", _("nobody answered within the agreed time"), "alarm", Group.CHANGE, "red"
    ),
    EventKind("lead_reopened", _("reopened the lead"), "arrow-counterclockwise", Group.STAGE, "blue"),
)


def lead_facts(lead: Lead) -> dict:
    """The values expressions of a process may read; attributes by their keys."""
    fields = ("name", "company", "first_name", "last_name", "tax_number", "phone", "email", "city", "status")
    return {
        **lead.attributes,
        **{field: getattr(lead, field) for field in fields},
        "source": lead.source.key if lead.source else None,
        "owner": lead.owner.username if lead.owner else None,
    }


def _summary(lead) -> str:
    person = lead.person if lead.person != lead.name else ""
    return " · ".join(part for part in (lead.get_status_display(), person, show_phone(lead.phone)) if part)


def _give_key(source: LeadSource) -> None:
    source.key = free_key(source.name, LeadSource.objects.all())


def register_leads() -> None:
    register_dictionary(
        Dictionary(LeadSource, _("Where leads come from."), ("response_minutes",), prepare=_give_key),
        Dictionary(UnqualifiedReason, _("Why leads are given up.")),
    )
    register_list(LeadList)
    register_kind(
        RecordKind(
            Lead,
            _("lead"),
            _("leads"),
            "person-plus",
            "leads:lead_detail",
            rights=RIGHTS,
            searchable=True,
            facts=lead_facts,
            fact_related=("source__key", "owner", "department"),
            summary=_summary,
        )
    )
    register_notice(
        Notice("leads.assigned", _("A lead becomes mine"), "person-plus", mail="hourly"),
        Notice(
            "leads.response_overdue",
            _("A lead has waited too long for its first response"),
            "alarm",
            mail="now",
        ),
    )
    register_deletable(LEAD_KIND)
    register_portfolio(PortfolioKind(LEAD_KIND, 30, Q(status__in=OPEN_STATUSES), {"city": ("city",)}))
    register_editor(
        Editor(LEAD_KIND, frozenset(LEAD_FIELDS), lambda record, **edit: edit_lead(lead=record, **edit))
    )
    register_mergeable(MergeKind(Lead, lambda: LEAD_FIELDS, derived=frozenset({"name"}), check=check_merge))
    register_traits(Lead, lead_traits)
    register_callers(Lead, 30, first_phone)
    register_event(*EVENTS)
    register_menu(MenuEntry("leads", _("Leads"), "person-plus", "leads:lead_list", 10, kind=LEAD_KIND))
    register_quick_create(
        QuickCreate(_("Lead"), "person-plus", "leads:lead_create", kind=LEAD_KIND, order=10)
    )
