"""Whose call it is: the cards a call stands on, found by the client's number."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from counterparties.callers import holders
from counterparties.models import Contact, ContactLink, Counterparty
from crm.people.prepared import PreparedRecord
from leads.models import OPEN_STATUSES, Lead
from telephony.models import CARDS, Call


@dataclass(frozen=True)
class Cards:
    """What a number stands for: one caller with his cards, several to choose from, or nobody."""

    cards: dict[str, object] = field(default_factory=dict)
    several: bool = False


def link_call(call: Call) -> bool:
    """Puts a call on the cards of its number, unless a person chose or nobody can say which; whether that changed it.

    The row is not saved. A choice that a person made for the same number counts for the calls that follow.
    """
    if call.by_hand or not call.number or call.card_keys():
        return False
    cards = _chosen_before(call) or find_cards(call.number, by=call.connection.author).cards
    for name, record in cards.items():
        setattr(call, name, record)
    return bool(cards)


def find_cards(number: str, *, by) -> Cards:
    """The cards of the one caller that has the number. A contact comes before his company, both before a lead."""
    known = holders(number, by=by)
    contacts = [one for one in known if isinstance(one, Contact)]
    parties = [one for one in known if isinstance(one, Counterparty)]
    leads = [one for one in known if isinstance(one, Lead)]
    if len(contacts) > 1 or len(parties) > 1:
        return Cards(several=True)
    if contacts:
        return Cards(_of_contact(contacts[0], parties))
    if parties:
        return Cards({"counterparty": parties[0]})
    open_leads = [lead for lead in leads if lead.status in OPEN_STATUSES] or leads
    if len(open_leads) == 1:
        return Cards(_of_lead(open_leads[0]))
    return Cards(several=bool(open_leads))


def _of_contact(contact: Contact, parties: list[Counterparty]) -> dict[str, object]:
    """With the company that has the number too, else with his only one."""
    if not parties:
        links = ContactLink.objects.filter(contact=contact, counterparty__deleted_at=None)
        parties = [link.counterparty for link in links.select_related("counterparty")[:2]]
    return {"contact": contact} | ({"counterparty": parties[0]} if len(parties) == 1 else {})


def _of_lead(lead: Lead) -> dict[str, object]:
    became = {name: getattr(lead, name) for name in ("deal", "counterparty", "contact")}
    return {"lead": lead} | {name: record for name, record in became.items() if record is not None}


def _chosen_before(call: Call) -> dict[str, object]:
    """The cards that somebody chose for this number last, as far as they still exist."""
    last = _last_choice().first(call.number)
    if last is None:
        return {}
    found = {name: getattr(last, name) for name in CARDS}
    return {
        name: record for name, record in found.items() if record is not None and record.deleted_at is None
    }


@cache
def _last_choice() -> PreparedRecord:
    rows = Call.objects.filter(by_hand=True).select_related(*CARDS).order_by("-started_at", "-pk")
    return PreparedRecord(lambda number: rows.filter(number=number)[:1], 0, texts=1)
