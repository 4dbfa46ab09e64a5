"""From a deal that waits for a call: whom to ring, and which call was about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.views.decorators.http import require_safe

from counterparties.models import Contact
from counterparties.rows import phone_text, rows_of
from crm.people.fields import mask
from crm.people.kinds import kind_of
from crm.web.access import get_visible
from crm.web.htmx import page
from deals.models import Deal
from telephony.lists import duration, status_pill
from telephony.models import Call, State

MOST_CALLS, MOST_PEOPLE = 5, 20


@dataclass(frozen=True)
class Callee:
    """Somebody of the deal, with his numbers as (to dial, to read)."""

    record: object
    icon: str
    phones: list[tuple[str, str]]


@require_safe
def deal_call(request, pk: int):
    """The numbers of the deal's people, and calls with them that are about no deal yet."""
    deal = get_visible(Deal, request.user, pk, queryset=Deal.objects.select_related("counterparty"))
    calls = list(_unassigned(deal, request.user))
    mask(request.user, calls)
    for call in calls:
        call.pill, call.talk = status_pill(call), duration(call.talk_seconds)
    context = {"deal": deal, "callees": callees_of(deal, request.user), "calls": calls}
    return page(request, "telephony/deal_call.html", context, partial="form")


def callees_of(deal: Deal, user) -> list[Callee]:
    """The deal's contacts, then its counterparty, as far as the reader sees them and their numbers."""
    contacts = Contact.objects.visible_to(user).filter(
        pk__in=deal.deal_contacts.values("contact"), deleted_at=None
    )
    parties = type(deal.counterparty).objects.visible_to(user).filter(pk=deal.counterparty_id)
    people = [*contacts.order_by("pk")[:MOST_PEOPLE], *parties]
    mask(user, people)
    found = [Callee(one, kind_of(one).icon, _phones(one)) for one in people]
    return [one for one in found if one.phones]


def _phones(record) -> list[tuple[str, str]]:
    return [(row["number"], phone_text(row)) for row in rows_of(record, "phones")]


def _unassigned(deal: Deal, user):
    """Talks since the deal came to its stage with its counterparty or people, about no deal so far."""
    people = deal.deal_contacts.values("contact")
    mine = Q(counterparty_id=deal.counterparty_id) | Q(contact__in=people)
    rows = Call.objects.visible_to(user, "edit").filter(mine, deal=None, state=State.ENDED)
    rows = rows.filter(talk_seconds__gt=0, ended_at__gte=deal.stage_since)
    return rows.select_related("owner").order_by("-started_at", "-pk")[:MOST_CALLS]
