"""What must not move a deal: closed ones, other funnels, two who decide at once, processes that run in circles."""

import threading
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from bpm.inbox import complete_task
from bpm.models import InstanceStatus, ProcessDefinition, ProcessInstance
from crm.listing.models import BulkItem
from deals.models import Deal, DealStatus, RequestStatus, StageRequest, StageTransition
from deals.services import (
    RequestDecided,
    StageRefused,
    edit_deal,
    override_request,
    pending_request,
    request_stage,
)
from funnel.models import Mode, Requirement
from tests.factories import sheets
from tests.factories.bpm import chain, make_gate, make_waiting, run_of, service_task, task_of, user_task
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_deal_type, make_funnel, make_loss_reason, make_stage
from tests.factories.imports import finished_import

DOORS = {
    "board": {"HX-Request": "true", "HX-Target": "board-changes"},
    "card": {"HX-Request": "true", "HX-Target": "deal-state"},
    "dialog": {"HX-Request": "true", "HX-Target": "stage-choices"},
}


def at(deal) -> str:
    return Deal.objects.get(pk=deal.pk).stage.key


@pytest.mark.django_db
@pytest.mark.parametrize("door", DOORS)
def test_neither_a_closed_deal_nor_another_funnel_nor_a_retired_stage_by_any_door(rep, signed_in, door):
    client, far = signed_in(rep), make_stage("needs", make_funnel("other", "Other"))
    won, lost, free = make_deal(rep), make_deal(rep), make_deal(rep)
    request_stage(deal=won, status=DealStatus.WON, by=rep)
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    retired = make_stage("contract")
    type(retired).objects.filter(pk=retired.pk).update(is_active=False)
    needs, requests = make_stage("needs"), StageRequest.objects.count()
    for deal, target in ((won, needs), (lost, needs), (free, far), (free, retired)):
        answer = client.post(f"/deals/{deal.pk}/stage/", {"stage": target.pk}, headers=DOORS[door])
        assert (answer.status_code, at(deal)) == (422, "qualification")
    assert StageRequest.objects.count() == requests
    for deal in (won, lost):
        with pytest.raises(StageRefused, match="Reopen it first"):
            request_stage(deal=deal, stage=needs, by=rep)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "amount", ["10000000000000", "-10000000000000", "1000000000000.01", "-0.01", "NaN", "1e400"]
)
def test_an_amount_beyond_the_limit_by_no_door(rep, signed_in, run_jobs, amount):
    deal, client = make_deal(rep, amount=Decimal(5)), signed_in(rep)
    with pytest.raises(ValidationError):
        edit_deal(deal=deal, values={"amount": Decimal(amount)}, version=deal.version, by=rep)
    deal.refresh_from_db()
    cell = {"value": amount, "version": deal.version}
    assert client.post(f"/lists/cells/deals.deal/{deal.pk}/amount/", cell).status_code == 422
    form = {
        "name": "x",
        "counterparty": deal.counterparty_id,
        "currency": "PLN",
        "amount": amount,
        "version": 1,
    }
    assert client.post(f"/deals/{deal.pk}/edit/", form).status_code == 422
    form |= {"deal_type": deal.deal_type_id}
    assert client.post("/deals/new/", form).status_code == 422
    bulk = {
        "kind": "deals.deal", "query": "view=0", "action": "edit", "field": "amount", "confirmed": "1",
        "value": amount, "id": deal.pk,
    }  # fmt: skip
    assert client.post("/lists/bulk/new/", bulk).status_code == 422
    assert not BulkItem.objects.exists()
    deal.refresh_from_db()
    assert (deal.amount, Deal.objects.count()) == (5, 1)
    assert not StageTransition.objects.filter(cause="amount").exists()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="an in-memory SQLite has one connection")
@pytest.mark.django_db(transaction=True)
def test_of_two_heads_who_decide_at_once_one_is_told(rep, head, admin_user):
    Requirement.objects.create(
        stage=make_stage("proposal"), kind="deals.fields", options={"fields_asked": ["amount"]}
    )
    deal = make_deal(rep)
    pk = request_stage(deal=deal, stage=make_stage("proposal"), by=rep).pk
    results = []

    def decide(person):
        try:
            override_request(request=StageRequest.objects.get(pk=pk), by=person, reason="Now")
            results.append("done")
        except RequestDecided:
            results.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=[person]) for person in (head, admin_user)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results) == ["done", "told"]
    assert StageTransition.objects.filter(deal=deal, cause="override").count() == 1


@pytest.mark.django_db
def test_a_process_that_asks_for_the_stage_it_guards_is_held_and_the_move_waits(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(service_task("Again", "deals.request_stage", stage="proposal")))
    deal = make_deal(rep)
    request = request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    run_jobs()
    request.refresh_from_db()
    assert (at(deal), request.status) == ("qualification", RequestStatus.PENDING)
    assert (ProcessInstance.objects.count(), run_of(deal).is_open) == (1, True)
    assert StageRequest.objects.count() == 1


@pytest.mark.django_db
def test_processes_that_send_a_deal_to_and_fro_are_stopped(admin_user, rep, run_jobs):
    """Both only advise: each starts when the deal has come, and sends it back to where the other starts."""
    for here, there in (("proposal", "needs"), ("needs", "proposal")):
        step = service_task("Send", "deals.request_stage", stage=there)
        make_gate(admin_user, chain(step), stage_key=here, key=f"to_{there}", mode=Mode.ADVISORY)
    deal = make_deal(rep)
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    run_jobs()
    runs = ProcessInstance.objects.filter(record_id=deal.pk)
    assert 1 < runs.count() <= 21
    assert runs.exclude(status=InstanceStatus.COMPLETED).count() == 1
    moves = StageTransition.objects.filter(deal=deal, cause="request")
    assert moves.count() == StageRequest.objects.filter(status=RequestStatus.APPLIED).count() <= 21
    assert moves.latest("pk").to_stage.key == at(deal)


@pytest.mark.django_db
def test_a_retired_process_holds_nothing_new_and_ends_what_it_began(admin_user, rep, run_jobs):
    make_gate(admin_user, chain(user_task("Agree")))
    waiting = make_waiting(rep)
    ProcessDefinition.objects.update(is_active=False)
    free = make_deal(rep)
    assert request_stage(deal=free, stage=make_stage("proposal"), by=rep).status == RequestStatus.APPLIED
    deal = waiting.record()
    assert pending_request(deal) is not None
    complete_task(task=task_of(deal), by=rep, values={}, outcome="")
    run_jobs()
    assert (at(deal), pending_request(deal)) == ("proposal", None)


@pytest.mark.django_db
def test_a_negative_amount_by_no_import(rep, tmp_path, run_jobs):
    make_deal_type()
    make_counterparty(rep, name="Żubr")
    rows = [["Nazwa", "Kontrahent", "Kwota"], ["A", "Żubr", "-0,01"], ["B", "Żubr", "5,00"]]
    path = sheets.write_workbook(tmp_path / "szanse.xlsx", rows)
    run = finished_import(path, by=rep, run_jobs=run_jobs, kind="deals.deal")
    [error] = run.rows.exclude(errors=[]).get().errors
    assert (error["code"], error["field"]) == ("negative", "amount")
    assert list(Deal.objects.values_list("name", flat=True)) == ["B"]
