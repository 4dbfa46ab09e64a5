"""Whatever the order and however often events arrive, the same call comes of them."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from telephony.adapters.webhook import read_event
from telephony.events import CallFact, Kind, Result, Role
from telephony.flow import recompute
from telephony.flows import LABELS, all_flows, flow_named

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CAST = {
    "client": "+48601234567", "line": "+48221234567", "call": "c-1", "origin": "0b0f4f0e-6f3c-4a57-8a55-1c1c1c1c1c1c",
    "ext1": "101", "ext2": "102", "ext3": "103",
}  # fmt: skip
OURS = {"101", "102", "103"}
SHUFFLES = 200


def facts_of(flow) -> list[CallFact]:
    return [read_event(event) for event in flow.events(CAST, START)]


def told(state) -> dict:
    missed = state.direction == "in" and state.state == Kind.ENDED
    missed = missed and state.result not in {Result.ANSWERED, Result.LOST, Result.VOICEMAIL}
    return {
        "direction": state.direction, "state": str(state.state), "result": str(state.result or ""),
        "handled_by": list(state.handled_by), "talk": state.talk, "is_internal": state.is_internal,
        "missed": missed and not state.is_internal,
    }  # fmt: skip


@pytest.mark.parametrize("name", LABELS)
def test_a_flow_becomes_the_call_it_tells_of(name):
    flow = flow_named(name)
    assert told(recompute(facts_of(flow), OURS)) == flow.expected(CAST)


@pytest.mark.parametrize("name", LABELS)
def test_order_and_repeats_change_nothing(name):
    facts = facts_of(flow_named(name))
    wanted = recompute(facts, OURS)
    chance = random.Random(name)
    for _ in range(SHUFFLES):
        mixed = facts + chance.choices(facts, k=chance.randrange(len(facts)))
        chance.shuffle(mixed)
        assert recompute(mixed, OURS) == wanted


@pytest.mark.parametrize("name", LABELS)
def test_every_beginning_of_a_flow_has_one_meaning(name):
    """What is shown while the call runs does not depend on the order either."""
    facts = facts_of(flow_named(name))
    chance = random.Random(name)
    for length in range(1, len(facts) + 1):
        part = facts[:length]
        wanted = recompute(part, OURS)
        for _ in range(10):
            assert recompute(chance.sample(part, length), OURS) == wanted


def test_thousands_of_orders_were_tried():
    assert len(all_flows()) * SHUFFLES >= 5000


def test_no_facts_are_no_call():
    with pytest.raises(ValueError, match="without facts"):
        recompute([], OURS)


def fact(after, kind, **more) -> CallFact:
    return CallFact(call="c-1", kind=kind, at=START + timedelta(seconds=after), **more)


def test_an_unproven_no_answer_never_beats_a_proven_answer():
    facts = [
        fact(0, Kind.STARTED, role=Role.CLIENT, party="+48601234567", direction="in"),
        fact(5, Kind.ANSWERED, role=Role.MANAGER, party="101"),
        fact(9, Kind.ENDED, result=Result.NO_ANSWER, is_proven=False),
    ]
    assert recompute(facts, OURS).result == Result.ANSWERED


def test_an_unproven_answer_gives_way_to_a_proven_refusal():
    facts = [
        fact(0, Kind.STARTED, leg="c", role=Role.CLIENT, party="+48601234567"),
        fact(1, Kind.RINGING, leg="m", role=Role.MANAGER, party="101"),
        fact(5, Kind.ANSWERED, leg="m", role=Role.MANAGER, party="101", is_proven=False),
        fact(9, Kind.ENDED, leg="m", role=Role.MANAGER, party="101", result=Result.NO_ANSWER),
        fact(9, Kind.ENDED, leg="c", role=Role.CLIENT),
    ]
    assert recompute(facts, OURS).result == Result.NO_ANSWER


def test_losers_of_the_race_stop_ringing_before_anybody_says_so():
    facts = facts_of(flow_named("ring_group"))[:5]
    state = recompute(facts, OURS)
    assert (state.ringing_now, state.talking_now) == ((), ("102",))


def test_the_second_one_rings_while_the_first_still_talks():
    facts = [
        one for one in facts_of(flow_named("attended_transfer")) if one.at <= START + timedelta(seconds=30)
    ]
    state = recompute(facts, OURS)
    assert (state.ringing_now, state.talking_now) == (("102",), ("101",))


def test_a_mapped_extension_is_ours_whatever_the_provider_says():
    facts = [
        fact(0, Kind.STARTED, leg="a", role=Role.CLIENT, party="101"),
        fact(1, Kind.STARTED, leg="b", role=Role.CLIENT, party="+48601234567"),
    ]
    state = recompute(facts, OURS)
    assert (state.direction, state.client, state.rang) == ("out", "+48601234567", ("101",))


def test_the_provider_counts_talking_but_not_longer_than_the_call():
    facts = [
        fact(0, Kind.STARTED, role=Role.CLIENT, party="+48601234567", direction="in"),
        fact(5, Kind.ANSWERED, role=Role.MANAGER, party="101"),
        fact(65, Kind.ENDED, result=Result.ANSWERED, seconds=57),
    ]
    assert recompute(facts, OURS).talk == 57
    long = [*facts[:2], fact(65, Kind.ENDED, result=Result.ANSWERED, seconds=900_000)]
    assert recompute(long, OURS).talk <= 66
