"""What people do with calls: note what came of them, put them on cards, and start them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from counterparties.callers import read_caller
from counterparties.consents import address_refuses, may_reach
from crm.jobs.services import enqueue
from crm.people.visibility import demand, may
from deals.moves import pending_request_of
from telephony import history
from telephony.ingest import CARD_FIELDS, tell_pages
from telephony.matching import link_call
from telephony.models import CARDS, Call, CallLeg, Direction, Extension, Outcome, State
from telephony.models.calls import Ending
from telephony.signals import call_ended, call_started

ORIGINATE = "telephony.originate"
REVIEW = "telephony.review"
LONGEST_NOTE = 10_000
MOST_REMATCHED = 200


class CannotStart(ValidationError):
    """The call is not started; the text says why."""


@transaction.atomic
def note_call(*, call: Call, note: str, outcome: str, by) -> Call:
    """What came of the conversation. While the call runs it waits for the end to stand in the cards' histories.

    Raises PermissionDenied, ValidationError.
    """
    demand(by, "edit", call)
    note = note.replace("\x00", "").strip()
    if len(note) > LONGEST_NOTE:
        raise ValidationError({"note": _("At most %(count)s characters.") % {"count": LONGEST_NOTE}})
    if outcome and outcome not in Outcome.values:
        raise ValidationError({"outcome": _("This is no result of a call.")})
    call = Call.objects.select_for_update(of=("self",)).select_related(*CARDS, "owner").get(pk=call.pk)
    if (call.note, call.outcome) == (note, outcome):
        return call
    call.note, call.outcome, call.version = note, outcome, call.version + 1
    call.save(update_fields=["note", "outcome", "version", "updated_at"])
    if not call.is_live:
        history.record_note(call, by)
        tell_pages(call)
    return call


@transaction.atomic
def wrap_up(*, call: Call, by) -> bool:
    """Its owner has noted what he wanted of an ended call. False for one that runs, or is another's."""
    mine = Call.objects.filter(pk=call.pk, owner=by, state=State.ENDED, wrapped_at=None)
    return bool(mine.update(wrapped_at=timezone.now()))


@transaction.atomic
def attach_call(*, call: Call, cards: dict, by) -> Call:
    """Puts the call on these cards in the place of those it stood on; the next calls of the number follow.

    Raises PermissionDenied for a call `by` may not change or a card he does not see.
    """
    demand(by, "edit", call)
    for record in cards.values():
        demand(by, "view", record)
    call = Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
    found = _with_counterparty(cards)
    for name in CARD_FIELDS:
        setattr(call, name, found.get(name))
    call.by_hand, call.version = bool(found), call.version + 1
    call.save(update_fields=[*CARD_FIELDS, "by_hand", "version", "updated_at"])
    history.stand_on_cards(call)
    tell_pages(call, users_of(call))
    review_move(call=call, by=by)
    return call


def review_move(*, call: Call, by) -> None:
    """A talk may be what the move of its deal waits for; looked at by a job, so that no exchange waits for it."""
    if call.deal_id is None or call.is_live or pending_request_of(call.deal_id) is None:
        return
    enqueue(kind=REVIEW, key=str(call.deal_id), args={"deal": call.deal_id}, by=by, priority=1)


def _with_counterparty(cards: dict) -> dict:
    """A deal's call stands on the deal's counterparty too, a lead's on what it became."""
    found = dict(cards)
    if lead := found.get("lead"):
        for name in ("deal", "counterparty", "contact"):
            if (record := getattr(lead, name)) is not None:
                found.setdefault(name, record)
    if deal := found.get("deal"):
        found.setdefault("counterparty", deal.counterparty)
    return found


@transaction.atomic
def match_again(numbers: set[str]) -> int:
    """Calls that stand nowhere are looked up anew, now that somebody has these numbers. How many found their cards."""
    rows = Call.objects.filter(
        number__in=numbers - {""}, by_hand=False, **dict.fromkeys(CARD_FIELDS), deleted_at=None
    )
    changed = 0
    for call in rows.select_related("connection__author").order_by("-started_at")[:MOST_REMATCHED]:
        if link_call(call):
            call.save(update_fields=[*CARD_FIELDS, "updated_at"])
            history.stand_on_cards(call)
            tell_pages(call, users_of(call))
            changed += 1
    return changed


def users_of(call: Call) -> set[int]:
    """At whose phones the call rang."""
    return set(CallLeg.objects.filter(call=call).exclude(user=None).values_list("user_id", flat=True))


# Calls that are started here


def extension_of(user) -> Extension | None:
    """The phone from which `user` calls by a click; None where he has none on a connection that can do it."""
    rows = Extension.objects.filter(user=user, connection__is_active=True).select_related(
        "connection__author"
    )
    for extension in rows.order_by("connection__name"):
        try:
            if extension.connection.adapter.can_originate:
                return extension
        except LookupError:
            continue
    return None


@transaction.atomic
def start_call(*, number: str, by, cards: dict | None = None) -> Call:
    """Rings the phone of `by` and then the number; by a job, so that a slow exchange keeps nobody waiting.

    Raises CannotStart where he has no phone, the number is none, he is on the phone already, or the contact does not
    want to be called; PermissionDenied for a card he does not see.
    """
    extension = extension_of(by)
    if extension is None:
        raise CannotStart(_("You have no phone connected: an administrator gives you an extension."))
    caller = read_caller(number, extension.connection.region)
    if not caller.e164:
        raise CannotStart(_("“%(number)s” is not a telephone number.") % {"number": number[:40]})
    for record in (cards or {}).values():
        if not may(by, "view", record):
            raise PermissionDenied
    call = Call(
        connection=extension.connection, direction=Direction.OUTGOING, number=caller.e164, number_raw=caller.e164,
        started_at=timezone.now(), asked_by=by, owner=by, extension=extension, **_with_counterparty(cards or {}),
    )  # fmt: skip
    if not cards:
        link_call(call)
    if address_refuses("phone", caller.e164) or (call.contact and not may_reach(call.contact, "phone")):
        raise CannotStart(_("Whoever has this number does not want to be called."))
    if Call.objects.live().filter(asked_by=by, number=caller.e164).exists():
        raise CannotStart(_("This number is being called already."))
    call.by_hand = bool(cards)
    call.save()
    call_started.send(sender=Call, call=call)
    enqueue(kind=ORIGINATE, args={"call": call.pk}, by=by, priority=1)
    tell_pages(call, {by.pk})
    return call


@transaction.atomic
def fail_call(*, call: Call, reason: str) -> bool:
    """The exchange refused or could not be reached. False when it has told of the call meanwhile."""
    waiting = Call.objects.filter(pk=call.pk, state=State.STARTED, provider_id=None)
    now = timezone.now()
    values = {"state": State.ENDED, "result": Ending.FAILED, "ended_at": now, "failure": reason[:200]}
    if not waiting.update(**values, updated_at=now):
        return False
    call.refresh_from_db()
    call_ended.send(sender=Call, call=call)
    tell_pages(call, {call.asked_by_id})
    return True
