"""What stands on a person's screen: his ringing and running calls, and those he has not put away yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from counterparties.callers import Known, who_calls
from counterparties.models import Counterparty
from crm.people.fields import mask
from deals.models import Deal, DealStatus
from telephony.lists import with_cards
from telephony.models import Call, CallLeg, Extension, State

WRAP_UP = timedelta(minutes=15)
RINGS = timedelta(minutes=10)
TALKS = timedelta(hours=4)
MOST = 4
MOST_DEALS = 3


@dataclass
class OnScreen:
    """A call as its card shows it. `is_mine`: the reader speaks or spoke; else it only rings at his phone."""

    call: Call
    is_mine: bool
    cards: list = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    may_attach: bool = False
    deals: list[Deal] = field(default_factory=list)

    @property
    def can_choose(self) -> bool:
        return self.may_attach and len(self.known) > 1

    @property
    def is_several(self) -> bool:
        return not self.cards and len([one for one in self.known if one.is_visible]) > 1

    @property
    def is_unknown(self) -> bool:
        return not self.cards and not self.known

    @property
    def hidden(self) -> list[Known]:
        """Whose client it is, where the reader does not see him."""
        return [one for one in self.known if not one.is_visible] if not self.cards else []


def has_phone(user) -> bool:
    return Extension.objects.filter(user=user, connection__is_active=True).exists()


def on_screen(user) -> list[OnScreen]:
    """The calls that belong on the screen of `user` now, the latest first."""
    legs = CallLeg.objects.filter(call=OuterRef("pk"), user=user)
    here = Exists(legs.exclude(state=State.ENDED))
    asked = Q(asked_by=user, state=State.STARTED)
    # Old ones whose end nobody told are a list's business.
    now = timezone.now()
    recent = Q(started_at__gt=now - RINGS) | Q(answered_at__gt=now - TALKS)
    running = recent & ~Q(state=State.ENDED) & (Q(here) | asked)
    wrapping = Q(
        state=State.ENDED, owner=user, wrapped_at=None, ended_at__gt=now - WRAP_UP
    ) & (Q(answered_at__isnull=False) | Q(asked_by=user))  # fmt: skip
    rows = Call.objects.visible_to(user).filter(running | wrapping).select_related("connection", "owner")
    calls = list(
        rows.annotate(spoke=Exists(legs.exclude(answered_at=None))).order_by("-started_at", "-pk")[:MOST]
    )
    shown = [_shown(call, user) for call in with_cards(user, calls)]
    mask(user, calls)
    return shown


def _shown(call: Call, user) -> OnScreen:
    shown = OnScreen(call, is_mine=call.spoke or call.asked_by_id == user.pk, cards=call.seen_cards)
    # A card that he does not see has been found already, and is not his to replace.
    shown.may_attach = bool(shown.cards) or not call.card_keys()
    if not shown.cards and call.number:
        shown.known = who_calls(call.number, by=user).known
    party = next((card for card in shown.cards if isinstance(card, Counterparty)), None)
    if party is not None and not any(isinstance(card, Deal) for card in shown.cards):
        open_deals = Deal.objects.visible_to(user).filter(counterparty=party, status=DealStatus.ACTIVE)
        shown.deals = list(open_deals.order_by("-pk")[:MOST_DEALS])
    return shown
