"""Every move is a request: applied at once, held by a receiver, refused, withdrawn, overridden."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from crm.history.models import Event
from crm.people.models import RoleScope
from crm.people.visibility import share
from deals.models import Deal, DealStatus, RequestStatus, StageRequest, StageTransition
from deals.services import (
    RequestDecided,
    StageRefused,
    apply_request,
    override_request,
    refuse_request,
    request_stage,
    set_waits,
    withdraw_request,
)
from deals.signals import (
    Hold,
    deal_request_withdrawn,
    deal_stage_changed,
    deal_stage_refused,
    deal_stage_requested,
)
from tests.factories.deals import make_deal, make_funnel, make_loss_reason, make_stage


@contextmanager
def holding(label: str = "commercial offer"):
    """As if a process guarded every stage."""

    def hold(sender, **kwargs):
        return Hold(label, "oferta handlowa")

    deal_stage_requested.connect(hold)
    try:
        yield
    finally:
        deal_stage_requested.disconnect(hold)


@contextmanager
def listening(signal):
    """Collects the payloads of a signal."""
    heard = []

    def hear(sender, signal, **kwargs):
        heard.append(kwargs)

    signal.connect(hear)
    try:
        yield heard
    finally:
        signal.disconnect(hear)


def test_a_free_move_is_applied_at_once(rep):
    deal = make_deal(rep)
    with listening(deal_stage_changed) as heard:
        request = request_stage(deal=deal, stage=make_stage("needs"), reason="they asked", by=rep)
    assert request.status == RequestStatus.APPLIED
    assert Deal.objects.get(pk=deal.pk).stage.key == deal.stage.key == "needs"
    row = StageTransition.objects.filter(deal=deal, cause="request").get()
    assert (row.from_stage.key, row.to_stage.key, row.from_status, row.to_status) == (
        "qualification",
        "needs",
        "active",
        "active",
    )
    assert (row.actor, row.owner, row.department, row.request, row.is_proven) == (
        rep,
        rep,
        rep.department,
        request,
        True,
    )
    assert [event["transition"] for event in heard] == [row]
    event = Event.objects.get(kind="deal_moved_forward")
    assert (event.actor, event.payload["to"]["name"], event.payload["note"]) == (rep, "Needs", "they asked")
    assert set(event.links.values_list("kind", flat=True)) == {"deals.deal", "counterparties.counterparty"}


def test_a_move_back_reads_as_one(rep):
    deal = make_deal(rep)
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    assert Event.objects.filter(kind="deal_moved_back").count() == 1


def test_a_held_move_waits_where_it_is(rep):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert request.status == RequestStatus.PENDING
    assert (request.waits[0]["label"], request.waits[0]["label_pl"]) == (
        "commercial offer",
        "oferta handlowa",
    )
    assert Deal.objects.get(pk=deal.pk).stage.key == "qualification"
    assert StageTransition.objects.filter(deal=deal).count() == 1


def test_a_second_request_is_told_why_not(rep):
    deal = make_deal(rep)
    with holding():
        request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert refusal.value.messages == ["This move is already waiting for a decision."]
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, stage=make_stage("contract"), by=rep)
    assert refusal.value.messages == ["A move to “Proposal” is already waiting. Withdraw it first."]
    assert StageRequest.objects.filter(deal=deal).count() == 1


def test_granted_it_is_applied_under_the_name_of_who_asked(rep, head):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    apply_request(request=request, by=head, via="Commercial offer")
    assert request.status == RequestStatus.APPLIED
    assert (request.decided_by, request.waits) == (head, [])
    row = StageTransition.objects.get(deal=deal, cause="request")
    assert (row.actor, row.via, row.to_stage.key) == (rep, "Commercial offer", "proposal")
    with pytest.raises(RequestDecided):
        apply_request(request=request, by=head)


def test_the_requester_must_still_have_the_right(rep, teammate, head):
    deal = make_deal(rep)
    share(record=deal, user=teammate, action="edit", by=rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=teammate)
    Deal.share_model.objects.all().delete()
    with listening(deal_stage_refused) as heard:
        apply_request(request=StageRequest.objects.get(pk=request.pk), by=head)
    request.refresh_from_db()
    assert (request.status, request.answer) == (RequestStatus.REFUSED, "You may not move this deal.")
    assert [event["reason"] for event in heard] == ["You may not move this deal."]
    assert Deal.objects.get(pk=deal.pk).stage.key == "qualification"


def test_refused_the_deal_stays_and_says_why(rep, head):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    refuse_request(request=request, by=head, reason="The offer has no price.")
    assert (request.status, request.answer, request.waits) == (
        RequestStatus.REFUSED,
        "The offer has no price.",
        [],
    )
    event = Event.objects.get(kind="deal_stage_refused")
    assert (event.actor, event.payload["note"]) == (head, "The offer has no price.")
    request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    assert deal.stage.key == "needs"


def test_withdrawn_it_frees_the_deal(rep, outsider):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    with pytest.raises(StageRefused):
        withdraw_request(request=request, by=outsider)
    with listening(deal_request_withdrawn) as heard:
        withdraw_request(request=request, by=rep)
    assert len(heard) == 1
    assert request.status == RequestStatus.WITHDRAWN


def test_an_override_is_a_right_and_wants_a_reason(rep, head):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    with pytest.raises(StageRefused):
        override_request(request=request, by=rep, reason="hurry")
    with pytest.raises(StageRefused):
        override_request(request=request, by=head, reason=" ")
    override_request(request=request, by=head, reason="agreed by phone")
    row = StageTransition.objects.get(deal=deal, cause="override")
    assert (row.actor, row.to_stage.key) == (head, "proposal")
    assert Event.objects.get(kind="deal_stage_overridden").payload["note"] == "agreed by phone"


def test_waits_are_kept_current_while_it_waits(rep):
    deal = make_deal(rep)
    with holding():
        request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    waits = [
        {
            "label": "offer",
            "label_pl": "oferta",
            "holder_id": rep.pk,
            "holder": "Anna",
            "since": None,
            "due": None,
            "target": "/t/1/",
        }
    ]
    set_waits(request=request, waits=waits, source="process")
    assert StageRequest.objects.get(pk=request.pk).waits == [{**waits[0], "source": "process"}]
    withdraw_request(request=request, by=rep)
    set_waits(request=request, waits=waits, source="process")
    assert StageRequest.objects.get(pk=request.pk).waits == []


def test_only_allowed_moves(rep):
    deal = make_deal(rep)
    make_stage("qualification").allowed_moves.set([make_stage("needs")])
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, stage=make_stage("contract"), by=rep)
    assert refusal.value.messages == ["From “Qualification” a deal goes only to: Needs."]
    other = make_funnel("other", "Other")
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, stage=make_stage("needs", other), by=rep)
    assert refusal.value.messages == ["“Needs” belongs to another funnel."]
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, stage=make_stage("qualification"), by=rep)
    assert refusal.value.messages == ["The deal is already there."]


def test_others_may_not_move_it(rep, teammate, outsider):
    deal = make_deal(rep)
    for person in (teammate, outsider):
        with pytest.raises(StageRefused) as refusal:
            request_stage(deal=deal, stage=make_stage("needs"), by=person)
        assert refusal.value.messages == ["You may not move this deal."]
    assert not StageRequest.objects.exists()


def test_loss_demands_a_reason(rep):
    deal = make_deal(rep)
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, status=DealStatus.LOST, by=rep)
    assert refusal.value.messages == ["Say why the deal was lost."]
    request_stage(deal=deal, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    assert (deal.status, deal.loss_reason.name) == ("lost", "Too expensive")
    assert deal.closed_at is not None
    assert Event.objects.get(kind="deal_lost").payload["loss_reason"] == {
        "name": "Too expensive",
        "name_pl": "Za drogo",
    }


def test_reopening_is_a_right_of_its_own(rep, head):
    deal = make_deal(rep)
    request_stage(deal=deal, status=DealStatus.WON, by=rep)
    with pytest.raises(StageRefused) as refusal:
        request_stage(deal=deal, status=DealStatus.ACTIVE, by=rep)
    assert refusal.value.messages == ["You may not reopen this deal."]
    with pytest.raises(StageRefused):
        request_stage(deal=deal, stage=make_stage("needs"), by=head)
    request_stage(deal=deal, status=DealStatus.ACTIVE, by=head)
    assert (deal.status, deal.closed_at) == ("active", None)
    assert [row.to_status for row in StageTransition.objects.filter(deal=deal).order_by("id")] == [
        "active",
        "won",
        "active",
    ]


def test_postponed_until_a_day_to_come(rep):
    deal = make_deal(rep)
    today = timezone.localdate()
    with pytest.raises(StageRefused):
        request_stage(deal=deal, status=DealStatus.POSTPONED, postponed_until=today, by=rep)
    request_stage(deal=deal, status=DealStatus.POSTPONED, postponed_until=today + timedelta(days=30), by=rep)
    assert deal.postponed_until == today + timedelta(days=30)
    request_stage(deal=deal, status=DealStatus.ACTIVE, by=rep)
    assert deal.postponed_until is None


def test_a_receiver_that_fails_rolls_everything_back(rep):
    deal = make_deal(rep)

    def fail(sender, **kwargs):
        raise RuntimeError("the process could not be written")

    deal_stage_requested.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    finally:
        deal_stage_requested.disconnect(fail)
    assert not StageRequest.objects.exists()
    assert Deal.objects.get(pk=deal.pk).stage.key == "qualification"


def test_the_right_to_edit_is_read_anew(rep, company):
    deal = make_deal(rep)
    RoleScope.objects.filter(role__key="seller", kind="deals.deal", action="edit").update(scope="none")
    fresh = type(rep).objects.get(pk=rep.pk)
    with pytest.raises(ValidationError):
        request_stage(deal=deal, stage=make_stage("needs"), by=fresh)
