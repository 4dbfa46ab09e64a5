"""Events become calls: once, whatever their order, whoever delivers them."""

import dataclasses
import random
from datetime import timedelta

import pytest
from django.db import connection as database

from crm.notify.models import LiveRow
from crm.people.models import User
from telephony.adapters.webhook import read_event
from telephony.flows import LABELS, flow_named
from telephony.ingest import POPUP, take_in
from telephony.models import Call, CallEvent, Extension, State
from telephony.signals import call_answered, call_ended, call_missed, call_started
from telephony.tasks import close_as_lost
from tests.factories.counterparties import make_contact
from tests.factories.telephony import KNOWN, START, cast, events_of, make_connection, play_flow

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


def facts(flow, **casting):
    return [read_event(event) for event in events_of(flow, **casting)]


def row(call) -> dict:
    fields = (
        "direction", "is_internal", "number", "line", "state", "result", "started_at", "answered_at", "ended_at",
        "talk_seconds", "wait_seconds", "owner_id",
    )  # fmt: skip
    legs = call.legs.values_list("provider_id", "role", "party", "user_id", "state", "result", "talk_seconds")
    return {name: getattr(call, name) for name in fields} | {"legs": list(legs)}


@pytest.mark.parametrize("flow", LABELS)
def test_every_flow_becomes_its_call_in_any_order(connection, flow):
    wanted, expected = None, flow_named(flow).expected(cast())
    chance = random.Random(flow)
    for turn in range(4):
        name = f"c-{turn}"
        mixed = facts(flow, call=name)
        mixed += chance.choices(mixed, k=3)
        if turn:
            chance.shuffle(mixed)
        for fact in mixed:
            take_in(connection=connection, facts=[fact])
        call = Call.objects.get(provider_id=name)
        wanted = wanted or row(call)
        assert row(call) == wanted
        assert (call.result, call.talk_seconds, call.is_internal) == (
            expected["result"], expected["talk"], expected["is_internal"]
        )  # fmt: skip
        assert (call.is_missed and not call.is_internal) == expected["missed"]


def test_repeats_have_no_effect(connection):
    call = play_flow(connection, "incoming_answered")
    before = (row(call), CallEvent.objects.count(), call.updated_at)
    assert take_in(connection=connection, facts=facts("incoming_answered")) == []
    call.refresh_from_db()
    assert (row(call), CallEvent.objects.count(), call.updated_at) == before


def test_each_fact_is_told_once_however_often_it_arrives(connection):
    told = []
    listeners = []
    for name, signal in [
        ("started", call_started), ("answered", call_answered), ("ended", call_ended), ("missed", call_missed)
    ]:  # fmt: skip

        def hear(name=name, **kwargs):
            told.append(name)

        listeners.append(hear)
        signal.connect(hear)
    for fact in facts("incoming_answered") * 2:
        take_in(connection=connection, facts=[fact])
    assert told == ["started", "answered", "ended"]
    told.clear()
    for fact in facts("incoming_missed", call="c-2") * 2:
        take_in(connection=connection, facts=[fact])
    assert told == ["started", "ended", "missed"]


def test_an_internal_call_is_nobodys(connection, admin_user):
    call = play_flow(connection, "internal")
    assert call.is_internal
    assert not Call.objects.visible_to(admin_user).exists()


def test_numbers_left_out_are_not_shown(connection, admin_user):
    connection.ignored = "+48601*\n"
    connection.save()
    assert play_flow(connection, "incoming_answered").is_internal
    assert not play_flow(connection, "incoming_answered", call="c-2", client="+48221112233").is_internal
    assert Call.objects.visible_to(admin_user).count() == 1


def test_a_call_stands_on_the_one_who_has_the_number(connection, rep):
    contact = make_contact(rep, phone=KNOWN)
    call = play_flow(connection, "incoming_answered")
    assert (call.contact, call.owner) == (contact, rep)


def test_whoever_spoke_owns_the_call_and_everybody_whose_phone_rang_sees_it(
    connection, rep, teammate, outsider
):
    call = play_flow(connection, "ring_group")
    assert call.owner == teammate
    assert [bool(Call.objects.visible_to(user)) for user in (rep, teammate, outsider)] == [True, True, False]


def test_a_lost_end_gives_way_to_the_real_one(connection):
    call = play_flow(connection, "incoming_answered", until=30)
    close_as_lost(call)
    call.refresh_from_db()
    assert (call.state, call.result, call.talk_seconds, call.is_missed) == (State.ENDED, "lost", 0, False)
    call = play_flow(connection, "incoming_answered")
    assert (call.result, call.talk_seconds) == ("answered", 60)


def test_calls_of_two_connections_may_have_the_same_id(connection, admin_user):
    other = make_connection(admin_user, name="Other")
    play_flow(connection, "incoming_answered")
    play_flow(other, "incoming_missed")
    assert Call.objects.filter(provider_id="c-1").count() == 2


def test_an_extension_may_change_hands(connection, rep, teammate, head):
    play_flow(connection, "incoming_answered")
    Extension.objects.filter(number="101").update(user=head)
    later = play_flow(connection, "incoming_answered", call="c-2", start=START + timedelta(hours=1))
    assert list(Call.objects.order_by("pk").values_list("owner__username", flat=True)) == ["rep", "head"]
    assert later.owner == head


def test_a_delivery_costs_few_queries(connection, django_assert_max_num_queries):
    many = facts("attended_transfer")
    with django_assert_max_num_queries(45):
        take_in(connection=connection, facts=many)
    assert database.vendor


def test_a_key_belongs_to_the_call_that_had_it_first(connection):
    first = facts("incoming_answered")
    take_in(connection=connection, facts=first)
    stray = dataclasses.replace(first[0], call="c-2")
    assert take_in(connection=connection, facts=[stray]) == []
    ringing = dataclasses.replace(first[1], call="c-2", key="c-2-ringing")
    (call,) = take_in(connection=connection, facts=[stray, ringing])
    assert list(call.events.values_list("key", flat=True)) == ["c-2-ringing"]
    assert CallEvent.objects.count() == len(first) + 1


@pytest.mark.parametrize("phones", [2, 40])
def test_an_ordinary_event_takes_few_statements(connection, django_assert_max_num_queries, phones):
    Extension.objects.bulk_create(
        Extension(connection=connection, number=str(200 + place)) for place in range(phones)
    )
    for place, fact in enumerate(facts("incoming_answered")):
        last = fact.kind == "ended" and not fact.leg.startswith("m")
        with django_assert_max_num_queries(25 if place == 0 or last else 12):
            take_in(connection=connection, facts=[fact])


def test_pages_are_told_of_people_who_work_here(connection, rep, teammate):
    call = play_flow(connection, "ring_group", until=5)
    told = LiveRow.objects.filter(kind=POPUP, record_id=call.pk)
    assert set(told.values_list("user_id", flat=True)) == {rep.pk, teammate.pk}
    told.delete()
    User.objects.filter(pk=teammate.pk).update(is_active=False)
    play_flow(connection, "ring_group")
    assert set(told.values_list("user_id", flat=True)) == {rep.pk}
