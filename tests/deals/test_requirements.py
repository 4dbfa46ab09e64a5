"""A stage requires things of a deal without a process: the move waits for them, and the last one lets it through."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from bpm.models import InstanceStatus
from collab.calendar.services import complete_activity, log_activity, plan_activity
from collab.calendar.services import log_activity as log
from crm.people.models import FieldRule, User
from deals.models import Deal, DealStatus, RequestStatus, StageRequest
from deals.operations import move_stage
from deals.parts import add_row
from deals.payments import PAYMENTS, receive_payment
from deals.services import (
    StageRefused,
    attach_to_deal,
    edit_deal,
    override_request,
    pending_request,
    request_stage,
    set_contacts,
    withdraw_request,
)
from funnel.models import Mode, Requirement, Way
from funnel.requiring import MOST, add_requirement, remove_requirement
from telephony.services import attach_call
from tests.factories.bpm import chain, make_gate, run_of, task_of, user_task
from tests.factories.counterparties import make_contact
from tests.factories.deals import make_deal, make_stage
from tests.factories.telephony import KNOWN, make_connection, play_flow

BOARD = {"HX-Request": "true", "HX-Target": "board-changes"}
CARD = {"HX-Request": "true", "HX-Target": "deal-state"}


def require(kind, stage="proposal", *, way=Way.ENTRY, mode=Mode.BLOCKING, **options):
    return Requirement.objects.create(stage=make_stage(stage), kind=kind, way=way, mode=mode, options=options)


def move(deal, by, stage="proposal"):
    return request_stage(deal=deal, stage=make_stage(stage), by=by)


def stage_of(deal):
    return Deal.objects.get(pk=deal.pk).stage.key


def supply_amount(deal, by):
    fresh = Deal.objects.get(pk=deal.pk)
    edit_deal(deal=fresh, values={"amount": Decimal(5000)}, version=fresh.version, by=by)


def test_a_move_waits_for_a_field_and_goes_on_once_it_is_filled(rep):
    require("deals.fields", fields_asked=["amount", "close_date"])
    deal = make_deal(rep, amount=Decimal(10))
    request = move(deal, rep)
    assert (stage_of(deal), request.is_pending, request.holders) == ("qualification", True, ["requirements"])
    wait = request.waits[0]
    assert (wait["label"], wait["label_pl"]) == ("fill in: Close date", "uzupełnij: Data zamknięcia")
    assert (wait["holder_id"], wait["target"]) == (rep.pk, f"/deals/{deal.pk}/proof/")
    edit_deal(deal=deal, values={"close_date": date(2030, 1, 1)}, version=deal.version, by=rep)
    request.refresh_from_db()
    assert (stage_of(deal), request.status, request.waits) == ("proposal", RequestStatus.APPLIED, [])


def test_nothing_missing_moves_at_once(rep):
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep, amount=Decimal(10))
    assert (move(deal, rep).status, stage_of(deal)) == (RequestStatus.APPLIED, "proposal")


def test_proofs_are_counted_and_what_is_missing_is_said_anew(rep):
    require("deals.fields", fields_asked=["amount"])
    require("deals.file", label="Offer", extensions="pdf")
    require("deals.fields", fields_asked=["contacts"])
    deal = make_deal(rep)
    assert (move(deal, rep).needed, pending_request(deal).proofs_given) == (3, 0)
    supply_amount(deal, rep)
    set_contacts(deal=deal, contacts=[make_contact(rep)], by=rep)
    waiting = pending_request(deal)
    assert (waiting.proofs_given, [wait["label"] for wait in waiting.waits]) == (2, ["attach: Offer (pdf)"])
    attach_to_deal(deal=deal, upload=SimpleUploadedFile("offer.txt", b"x"), label="Offer", by=rep)
    assert stage_of(deal) == "qualification"
    attach_to_deal(deal=deal, upload=SimpleUploadedFile("x.pdf", b"%PDF-1.4 x"), label="offer", by=rep)
    assert stage_of(deal) == "proposal"


def test_a_payment_counts_from_its_share_on_and_names_no_amount(rep):
    require("deals.payment", percent=30)
    deal = make_deal(rep, amount=Decimal(1000))
    payment = add_row(
        part=PAYMENTS,
        deal=deal,
        values={"planned_date": timezone.localdate(), "amount": Decimal(400)},
        by=rep,
    )
    assert move(deal, rep).waits[0]["label"] == "receive: 30 % of the amount"
    receive_payment(payment=payment, by=rep)
    assert stage_of(deal) == "proposal"


def test_what_is_only_advised_lets_the_deal_pass_and_is_said(rep):
    require("deals.fields", mode=Mode.ADVISORY, fields_asked=["amount"])
    deal = make_deal(rep)
    request = move(deal, rep)
    assert (stage_of(deal), request.reminders) == ("proposal", ["fill in: Amount"])


def test_a_way_out_holds_the_next_stage_and_winning_but_not_losing(rep, loss_reason):
    require("deals.fields", "qualification", way=Way.EXIT, fields_asked=["amount"])
    deal, other, lost = make_deal(rep), make_deal(rep), make_deal(rep)
    assert move(deal, rep).is_pending
    assert request_stage(deal=other, status=DealStatus.WON, by=rep).is_pending
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=loss_reason, by=rep)
    supply_amount(other, rep)
    assert [Deal.objects.get(pk=one.pk).status for one in (deal, other, lost)] == ["active", "won", "lost"]


@pytest.fixture
def loss_reason(db):
    from tests.factories.deals import make_loss_reason

    return make_loss_reason()


def test_losing_a_deal_ends_what_it_waits_for(rep, outsider, run_jobs, loss_reason):
    make_gate(publisher(), chain(user_task("Agree")))
    deal = make_deal(rep)
    request = move(deal, rep)
    run_jobs()
    with pytest.raises(StageRefused):
        request_stage(deal=deal, status=DealStatus.LOST, by=rep)
    with pytest.raises(StageRefused):
        request_stage(deal=deal, status=DealStatus.LOST, loss_reason=loss_reason, by=outsider)
    request.refresh_from_db()
    assert request.is_pending
    request_stage(deal=deal, status=DealStatus.LOST, loss_reason=loss_reason, by=rep)
    run_jobs()
    request.refresh_from_db()
    assert (request.status, run_of(deal).status) == (RequestStatus.WITHDRAWN, InstanceStatus.CANCELLED)
    assert Deal.objects.get(pk=deal.pk).status == DealStatus.LOST


def test_an_activity_counts_when_it_was_done_at_the_stage(rep):
    require("collab_calendar.activity", activity="meeting", at_stage=True)
    deal = make_deal(rep)
    Deal.objects.filter(pk=deal.pk).place(stage_since=timezone.now() - timedelta(hours=1))
    log(
        kind="meeting", subject="Before", result="x", at=timezone.now() - timedelta(days=1), by=rep, deal=deal
    )
    assert move(deal, rep).is_pending
    log_activity(kind="call", subject="A call", result="x", by=rep, deal=deal)
    assert stage_of(deal) == "qualification"
    planned = plan_activity(kind="meeting", subject="Visit", starts_at=timezone.now(), by=rep, deal=deal)
    complete_activity(activity=planned, result="seen", by=rep)
    assert stage_of(deal) == "proposal"


def test_a_talk_of_some_length_lets_the_deal_through(rep, admin_user, run_jobs, signed_in):
    require("telephony.call", seconds=60, direction="", at_stage=True)
    connection, deal = make_connection(admin_user, [rep]), make_deal(rep)
    contact = make_contact(rep, phone=KNOWN)
    set_contacts(deal=deal, contacts=[contact], by=rep)
    Deal.objects.filter(pk=deal.pk).place(stage_since=timezone.now() - timedelta(hours=1))
    yesterday = timezone.now() - timedelta(days=1)
    before = play_flow(connection, "incoming_answered", start=yesterday, call="b", client="+48601000000")
    attach_call(call=before, cards={"deal": deal}, by=rep)
    assert move(deal, rep).waits[0]["label"] == "talk on the telephone: 60 seconds at least"
    client, url = signed_in(rep), reverse("telephony:deal_call", args=[deal.pk])
    assert url in client.get(reverse("deals:deal_proof", args=[deal.pk])).content.decode()
    call = play_flow(
        connection, "incoming_answered", start=timezone.now() - timedelta(minutes=10), call="now"
    )
    run_jobs()
    assert (call.deal_id, stage_of(deal)) == (None, "qualification")
    page = client.get(url).content.decode()
    assert f'href="tel:{KNOWN}" data-call-page="/deals/{deal.pk}/"' in page
    choice = reverse("telephony:call_choice", args=[call.pk])
    assert choice in page
    client.post(choice, {"card": f"deal:{deal.pk}"}, headers=CARD)
    run_jobs()
    assert stage_of(deal) == "proposal"


def test_numbers_that_one_may_not_see_are_not_offered_for_a_call(rep, outsider, signed_in):
    deal = make_deal(rep)
    set_contacts(deal=deal, contacts=[make_contact(rep, phone=KNOWN)], by=rep)
    url = reverse("telephony:deal_call", args=[deal.pk])
    assert signed_in(outsider).get(url).status_code == 404
    FieldRule.objects.create(
        role=rep.roles.get(), kind="counterparties.contact", field="phone", level="hidden"
    )
    assert KNOWN not in signed_in(User.objects.get(pk=rep.pk)).get(url).content.decode()


def test_a_process_and_a_requirement_hold_together(rep, run_jobs, signed_in):
    make_gate(publisher(), chain(user_task("Agree")))
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep)
    request = move(deal, rep)
    run_jobs()
    waiting = pending_request(deal)
    assert (waiting.needed, waiting.proofs_given, len(waiting.holders)) == (2, 0, 2)
    assert {wait["source"] for wait in waiting.waits} == {"requirements", f"process:{run_of(deal).pk}"}
    complete(deal, rep, run_jobs)
    assert (stage_of(deal), pending_request(deal).proofs_given) == ("qualification", 1)
    supply_amount(deal, rep)
    request.refresh_from_db()
    assert (stage_of(deal), request.status) == ("proposal", RequestStatus.APPLIED)


def test_what_was_there_must_still_be_there_when_the_process_grants(rep, run_jobs):
    make_gate(publisher(), chain(user_task("Agree")))
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep, amount=Decimal(1))
    move(deal, rep)
    run_jobs()
    fresh = Deal.objects.get(pk=deal.pk)
    edit_deal(deal=fresh, values={"amount": None}, version=fresh.version, by=rep)
    complete(deal, rep, run_jobs)
    assert (stage_of(deal), pending_request(deal).holders) == ("qualification", ["requirements"])
    supply_amount(deal, rep)
    assert stage_of(deal) == "proposal"


def test_one_refusal_ends_the_move_for_all_that_hold_it(rep, run_jobs):
    make_gate(publisher(), chain(user_task("Leave")), stage_key="qualification", key="way_out", way=Way.EXIT)
    make_gate(publisher(), chain(user_task("Agree")), ends=("End_ok",))
    deal = make_deal(rep)
    request = move(deal, rep)
    run_jobs()
    assert (request.needed, len(request.holders)) == (2, 2)
    from bpm.control import cancel_instance

    cancel_instance(instance=run_of(deal), by=publisher(), reason="Not now")
    run_jobs()
    request.refresh_from_db()
    assert request.status == RequestStatus.REFUSED
    from bpm.models import ProcessInstance

    assert set(ProcessInstance.objects.values_list("status", flat=True)) == {InstanceStatus.CANCELLED}


def test_an_advisory_process_starts_and_holds_nothing(rep, run_jobs):
    make_gate(publisher(), chain(user_task("Welcome")), mode=Mode.ADVISORY)
    deal = make_deal(rep)
    assert move(deal, rep).status == RequestStatus.APPLIED
    run_jobs()
    assert (stage_of(deal), task_of(deal).name, run_of(deal).request_id) == ("proposal", "Welcome", None)


def test_a_requirement_nobody_knows_any_more_holds(rep):
    require("gone.kind")
    deal = make_deal(rep)
    assert move(deal, rep).is_pending


def test_rights_lost_meanwhile_refuse_the_move(rep, head, outsider):
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep)
    request = move(deal, rep)
    Deal.objects.filter(pk=deal.pk).update(owner=outsider, department=outsider.department)
    fresh = Deal.objects.get(pk=deal.pk)
    edit_deal(deal=fresh, values={"amount": Decimal(1)}, version=fresh.version, by=outsider)
    request.refresh_from_db()
    assert (request.status, stage_of(deal)) == (RequestStatus.REFUSED, "qualification")


def test_past_the_gate_the_deal_is_not_proven(rep, head):
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep)
    override_request(request=move(deal, rep), by=head, reason="The client signs today")
    fresh = Deal.objects.select_related("proven_stage").get(pk=deal.pk)
    assert (fresh.stage.key, fresh.proven_stage.key, fresh.is_proven) == ("proposal", "qualification", False)
    move(fresh, rep, "contract")
    assert Deal.objects.get(pk=deal.pk).is_proven


@pytest.mark.parametrize("calls_off", [True, False])
def test_who_passes_a_gate_chooses_what_becomes_of_the_process(rep, head, run_jobs, calls_off):
    make_gate(publisher(), chain(user_task("Agree")))
    deal = make_deal(rep)
    request = move(deal, rep)
    run_jobs()
    override_request(request=request, by=head, reason="Urgent", calls_off=calls_off)
    run_jobs()
    assert run_of(deal).status == (InstanceStatus.CANCELLED if calls_off else InstanceStatus.WAITING)
    if not calls_off:
        complete(deal, rep, run_jobs)
        assert run_of(deal).status == InstanceStatus.COMPLETED
    assert stage_of(deal) == "proposal"


# Channels: whoever asks, the same gate


def by_board(deal, by, signed_in):
    signed_in(by).post(f"/deals/{deal.pk}/stage/", {"stage": make_stage("proposal").pk}, headers=BOARD)


def by_card(deal, by, signed_in):
    signed_in(by).post(f"/deals/{deal.pk}/stage/", {"stage": make_stage("proposal").pk}, headers=CARD)


def by_page(deal, by, signed_in):
    signed_in(by).post(f"/deals/{deal.pk}/stage/", {"stage": make_stage("proposal").pk})


def by_process(deal, by, signed_in):
    from crm.operations.registry import Context

    move_stage(Context(record=deal, by=by, requester=by, via="Test"), stage="proposal")


def fields_gate():
    require("deals.fields", fields_asked=["amount"])


def file_gate():
    require("deals.file", label="Offer")


def activity_gate():
    require("collab_calendar.activity", activity="", at_stage=False)


def way_out_gate():
    require("deals.fields", "qualification", way=Way.EXIT, fields_asked=["amount"])


def process_gate():
    make_gate(publisher(), chain(user_task("Agree")))


def process_way_out_gate():
    make_gate(publisher(), chain(user_task("Leave")), stage_key="qualification", way=Way.EXIT)


GATES = [fields_gate, file_gate, activity_gate, way_out_gate, process_gate, process_way_out_gate]
CHANNELS = [by_board, by_card, by_page, by_process]


@pytest.mark.parametrize("gate", GATES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda one: one.__name__)
def test_no_channel_passes_a_gate(rep, teammate, outsider, signed_in, gate, channel):
    gate()
    deal = make_deal(rep)
    channel(deal, rep, signed_in)
    assert (stage_of(deal), pending_request(deal).requested_by) == ("qualification", rep)


@pytest.mark.parametrize("channel", CHANNELS[:3], ids=lambda one: one.__name__)
def test_no_channel_moves_a_foreign_deal(rep, outsider, signed_in, channel):
    deal = make_deal(rep)
    channel(deal, outsider, signed_in)
    assert (stage_of(deal), StageRequest.objects.count()) == ("qualification", 0)


# Pages


def test_the_board_asks_at_once_for_what_is_missing(rep, signed_in):
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep)
    answer = signed_in(rep).post(
        f"/deals/{deal.pk}/stage/", {"stage": make_stage("proposal").pk}, headers=BOARD
    )
    assert f'"dialog-open": {{"url": "/deals/{deal.pk}/proof/"}}' in answer["HX-Trigger"]


def test_the_dialog_asks_only_for_what_is_missing_and_moves_the_deal(rep, signed_in):
    require("deals.fields", fields_asked=["amount", "close_date", "attr_source_note"])
    offer = require("deals.file", label="Offer", extensions="pdf")
    deal = make_deal(rep, close_date=date(2030, 5, 5))
    move(deal, rep)
    client = signed_in(rep)
    shown = client.get(f"/deals/{deal.pk}/proof/").content.decode()
    assert 'name="amount"' in shown
    assert 'name="attr_source_note"' in shown
    assert f'name="file_{offer.pk}"' in shown
    assert 'name="close_date"' not in shown
    assert 'name="owner"' not in shown
    wrong = {"amount": "100", f"file_{offer.pk}": SimpleUploadedFile("offer.exe", b"MZ")}
    assert client.post(f"/deals/{deal.pk}/proof/", wrong).status_code == 422
    assert Deal.objects.get(pk=deal.pk).amount is None
    right = {
        "amount": "100", "attr_source_note": "fair", "version": deal.version, "owner": "1", "stage": "4",
        f"file_{offer.pk}": SimpleUploadedFile("Offer.pdf", b"%PDF-1.4 x"),
    }  # fmt: skip
    assert client.post(f"/deals/{deal.pk}/proof/", right).status_code == 302
    fresh = Deal.objects.get(pk=deal.pk)
    assert (fresh.stage.key, fresh.amount, fresh.owner) == ("proposal", Decimal(100), rep)


def test_half_of_it_is_kept_and_the_move_waits_for_the_rest(rep, signed_in):
    require("deals.fields", fields_asked=["amount"])
    require("deals.fields", fields_asked=["close_date"])
    deal = make_deal(rep)
    move(deal, rep)
    signed_in(rep).post(
        f"/deals/{deal.pk}/proof/", {"amount": "7", "close_date": "", "version": deal.version}
    )
    assert (Deal.objects.get(pk=deal.pk).amount, pending_request(deal).proofs_given) == (Decimal(7), 1)
    page = signed_in(rep).get(f"/deals/{deal.pk}/").content.decode()
    assert "1 of 2 proofs" in page


def test_the_dialog_is_for_those_who_may_edit_and_says_when_nothing_waits(rep, outsider, signed_in):
    require("deals.fields", fields_asked=["amount"])
    deal = make_deal(rep)
    request = move(deal, rep)
    assert signed_in(outsider).get(f"/deals/{deal.pk}/proof/").status_code == 404
    withdraw_request(request=request, by=rep)
    assert signed_in(rep).get(f"/deals/{deal.pk}/proof/").status_code == 302


def test_an_administrator_sets_requirements_and_takes_them_away(admin_user, rep, signed_in):
    stage, client = make_stage("proposal"), signed_in(admin_user)
    url = f"/funnels/stages/{stage.pk}/requirements/new/?kind=deals.fields"
    assert client.post(url, {"way": "entry", "mode": "blocking"}).status_code == 422
    assert (
        client.post(url, {"way": "entry", "mode": "blocking", "fields_asked": "owner__password"}).status_code
        == 422
    )
    sent = {"way": "exit", "mode": "advisory", "fields_asked": ["amount", "contacts"]}
    assert client.post(url, sent).status_code == 302
    made = Requirement.objects.get()
    assert (made.way, made.mode, made.options) == (
        "exit",
        "advisory",
        {"fields_asked": ["amount", "contacts"]},
    )
    page = client.get("/funnels/").content.decode()
    assert "Filled in: Amount, Contacts" in page
    assert "only advised" in page
    assert client.get(f"/funnels/stages/{stage.pk}/requirements/new/?kind=nothing").status_code == 404
    assert signed_in(rep).get("/funnels/").status_code == 403
    assert signed_in(rep).post(f"/funnels/requirements/{made.pk}/removal/").status_code == 403
    assert signed_in(admin_user).post(f"/funnels/requirements/{made.pk}/removal/").status_code == 302
    assert not Requirement.objects.exists()


def test_a_stage_has_no_more_requirements_than_one_can_read(admin_user, rep):
    stage = make_stage("proposal")
    for _number in range(MOST):
        require("deals.file", label="x")
    with pytest.raises(Exception, match="at most 20"):
        add_requirement(
            stage=stage, kind="deals.file", way="entry", mode="blocking", options={}, by=admin_user
        )
    with pytest.raises(PermissionDenied):
        remove_requirement(requirement=Requirement.objects.first(), by=rep)


def publisher():
    from crm.people.models import User

    return User.objects.get(username="admin")


def complete(deal, by, run_jobs):
    from bpm.inbox import complete_task

    task = task_of(deal)
    complete_task(task=task, by=by, values={}, outcome="")
    run_jobs()
