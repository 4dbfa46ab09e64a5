"""Calls in the histories of the cards they stand on."""

from __future__ import annotations

from crm.history.models import Event, EventLink
from crm.history.services import record_event
from crm.people.access import kind_label
from telephony.models import CARDS, Call, Direction
from telephony.models.calls import Ending

KIND = kind_label(Call)
CARD_KINDS = tuple(kind_label(model) for model in CARDS.values())
NOTED = "phone_noted"
ENDINGS = ("phone_in", "phone_missed", "phone_out", "phone_out_unanswered")


def event_of(call: Call) -> str:
    """The kind of event an ended call is."""
    if call.direction == Direction.OUTGOING:
        return "phone_out" if call.result == Ending.ANSWERED else "phone_out_unanswered"
    return "phone_missed" if call.is_missed else "phone_in"


def record_call(call: Call) -> None:
    """One event for each ended call, on all its cards."""
    record_event(
        kind=event_of(call), subject=call, by=call.owner, cards=cards_of(call), at=call.started_at,
        payload=_payload(call),
    )  # fmt: skip


def correct_call(call: Call) -> None:
    """What came late changes what the event of the call says; there is still one."""
    told = Event.objects.filter(subject_kind=KIND, subject_id=call.pk, kind__in=ENDINGS)
    told.update(kind=event_of(call), actor=call.owner, payload=_payload(call))


def _payload(call: Call) -> dict:
    minutes, seconds = divmod(call.talk_seconds, 60)
    return {"number": call.shown_number, "talk": f"{minutes}:{seconds:02}", "note": call.note}


def record_note(call: Call, by) -> None:
    """A note on a call that is over already; while it runs, the note waits for its end."""
    record_event(kind=NOTED, subject=call, by=by, cards=cards_of(call), payload={"note": call.note})


def cards_of(call: Call) -> list:
    return [record for name in CARDS if (record := getattr(call, name)) is not None]


def stand_on_cards(call: Call) -> None:
    """The events of a call stand on the cards it has now, and on no others."""
    events = list(Event.objects.filter(subject_kind=KIND, subject_id=call.pk).values_list("pk", "at"))
    cards = set(call.card_keys())
    for link in EventLink.objects.filter(event_id__in=[pk for pk, _at in events], kind__in=CARD_KINDS):
        if (link.kind, link.record_id) not in cards:
            link.delete()
    EventLink.objects.bulk_create(
        [
            EventLink(event_id=pk, kind=label, record_id=record_id, at=at)
            for pk, at in events
            for label, record_id in cards
        ],
        ignore_conflicts=True,
    )
