"""The chain: a guarded move waits, a run in the worker asks people, its end decides the move."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bpm.inbox import complete_task
from bpm.models import InstanceStatus, ProcessInstance, StageGate, UserTask
from crm.files.models import StoredFile
from crm.history.cards import card_history
from deals.models import Deal, RequestStatus
from deals.services import StageRefused, override_request, request_stage, withdraw_request
from tests.factories.bpm import make_example, make_waiting, run_of, task_of
from tests.factories.deals import make_deal, make_stage


def offer() -> SimpleUploadedFile:
    return SimpleUploadedFile("oferta Łódź.pdf", b"%PDF-1.4 offer", "application/pdf")


@pytest.fixture
def gates(admin_user):
    make_example(admin_user, "commercial_offer", "proposal")
    make_example(admin_user, "contract_approval", "contract")


def test_attached_file_moves_the_deal(gates, rep, run_jobs):
    deal = make_deal(rep)
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert (request.status, request.waits[0]["label"]) == (RequestStatus.PENDING, "Commercial offer")
    run_jobs()
    task = task_of(deal)
    request.refresh_from_db()
    (wait,) = request.waits
    assert (wait["label"], wait["label_pl"], wait["holder_id"], wait["holder"], wait["target"]) == (
        "Attach the commercial offer", "Dołącz ofertę handlową", rep.pk, str(rep), f"/processes/tasks/{task.pk}/",
    )  # fmt: skip
    complete_task(task=task, outcome="attach", files={"offer": offer()}, by=rep)
    run_jobs()
    deal.refresh_from_db()
    request.refresh_from_db()
    assert (deal.stage.key, request.status) == ("proposal", RequestStatus.APPLIED)
    assert run_of(deal).status == InstanceStatus.COMPLETED
    stored = StoredFile.objects.get()
    assert (stored.record_id, stored.label, stored.name) == (deal.pk, "offer", "oferta Łódź.pdf")


def test_withdrawing_outcome_leaves_the_deal(gates, rep, run_jobs):
    deal = make_deal(rep)
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    run_jobs()
    complete_task(task=task_of(deal), outcome="withdraw", by=rep)
    run_jobs()
    deal.refresh_from_db()
    request.refresh_from_db()
    assert (deal.stage.key, request.status, request.answer) == (
        "qualification",
        RequestStatus.REFUSED,
        "Withdrawn",
    )


def test_contract_below_the_limit_passes_by_itself(gates, rep, run_jobs):
    deal = make_deal(rep, amount=Decimal("50000"))
    request_stage(deal=deal, stage=make_stage("contract"), by=rep)
    run_jobs()
    deal.refresh_from_db()
    assert deal.stage.key == "contract"


def test_head_returns_a_contract_with_a_comment(gates, rep, head, run_jobs):
    deal = make_deal(rep, amount=Decimal("50000.01"))
    request = request_stage(deal=deal, stage=make_stage("contract"), by=rep)
    run_jobs()
    task = task_of(deal)
    assert task.assignee == head
    complete_task(task=task, outcome="return", comment="Add a penalty clause.", by=head)
    run_jobs()
    deal.refresh_from_db()
    request.refresh_from_db()
    assert (deal.stage.key, request.status, request.answer, request.decided_by) == (
        "qualification", RequestStatus.REFUSED, "Add a penalty clause.", head,
    )  # fmt: skip


def test_withdrawn_request_calls_the_run_off(gates, rep, run_jobs):
    deal = make_deal(rep)
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    run_jobs()
    withdraw_request(request=request, by=rep)
    run_jobs()
    assert run_of(deal).status == InstanceStatus.CANCELLED
    assert UserTask.objects.get().status == "withdrawn"


def test_a_gate_without_published_process_lets_deals_through(admin_user, rep):
    make_example(admin_user, "commercial_offer", "proposal")
    StageGate.objects.update(is_active=False)
    deal = make_deal(rep)
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert (request.status, ProcessInstance.objects.count()) == (RequestStatus.APPLIED, 0)


def test_closing_a_deal_passes_no_gate(gates, rep):
    deal = make_deal(rep)
    request = request_stage(deal=deal, status="won", by=rep)
    assert (request.status, ProcessInstance.objects.count()) == (RequestStatus.APPLIED, 0)


def test_a_changed_gate_does_not_change_a_run_that_began(gates, rep, run_jobs):
    instance = make_waiting(rep)
    StageGate.objects.filter(stage__key="proposal").update(granting_ends=["End_withdrawn"])
    complete_task(task=instance.tasks.get(), outcome="attach", files={"offer": offer()}, by=rep)
    run_jobs()
    assert instance.record().stage.key == "proposal"


def test_requester_without_rights_any_more_is_refused(gates, rep, outsider, run_jobs):
    instance = make_waiting(rep)
    Deal.objects.filter(pk=instance.record_id).update(owner=outsider, department=outsider.department)
    instance.tasks.update(assignee=outsider)
    complete_task(task=instance.tasks.get(), outcome="attach", files={"offer": offer()}, by=outsider)
    run_jobs()
    instance.refresh_from_db()
    instance.request.refresh_from_db()
    assert (instance.status, instance.request.status) == (InstanceStatus.COMPLETED, RequestStatus.REFUSED)
    assert instance.record().stage.key == "qualification"


def test_overridden_request_calls_the_run_off(gates, rep, admin_user, run_jobs):
    instance = make_waiting(rep)
    override_request(request=instance.request, by=admin_user, reason="The client insists.")
    run_jobs()
    instance.refresh_from_db()
    assert (instance.status, instance.record().stage.key) == (InstanceStatus.CANCELLED, "proposal")


def test_processes_cannot_chase_each_other_for_ever(gates, rep):
    deal = make_deal(rep)
    for _ in range(20):
        withdraw_request(request=request_stage(deal=deal, stage=make_stage("proposal"), by=rep), by=rep)
    with pytest.raises(StageRefused):
        request_stage(deal=deal, stage=make_stage("proposal"), by=rep)


def test_history_tells_of_the_run(gates, rep, run_jobs):
    instance = make_waiting(rep)
    complete_task(task=instance.tasks.get(), outcome="attach", files={"offer": offer()}, by=rep)
    run_jobs()
    lines = card_history(user=rep, record=instance.record()).lines
    told = [(line.sentence, str(line.event.actor), line.via) for line in reversed(lines)]
    assert told == [
        ("opened the deal at “Qualification”", str(rep), ""),
        ("asked to move the deal from “Qualification” to “Proposal”", str(rep), ""),
        ("started the process “Commercial offer”", str(rep), "Commercial offer"),
        ("attached “oferta Łódź.pdf”", str(rep), "Commercial offer"),
        ("answered “Attach the commercial offer”: Attach", str(rep), "Commercial offer"),
        (told[5][0], "Adam Nowicki", "Commercial offer"),
        ("moved the deal forward from “Qualification” to “Proposal”", str(rep), "Commercial offer"),
    ]
