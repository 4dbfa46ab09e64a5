"""The pages that move a deal: board, card, dialog and plain form; refusals; double clicks; strangers."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from deals.models import Deal, RequestStatus, StageRequest
from deals.services import request_stage
from deals.signals import Hold, deal_stage_requested
from tests.factories.deals import make_deal, make_loss_reason, make_stage

BOARD = {"HX-Request": "true", "HX-Target": "board-changes"}
CARD = {"HX-Request": "true", "HX-Target": "deal-state"}
DIALOG = {"HX-Request": "true", "HX-Target": "dialog-body"}
VERBS = ["stage", "closure", "reopening", "withdrawal", "override", "update", "files"]


@pytest.fixture
def deal(rep):
    return make_deal(rep)


@pytest.fixture
def gate():
    """Every move waits, as if a process guarded it."""

    def hold(sender, **kwargs):
        return Hold("commercial offer", "oferta handlowa")

    deal_stage_requested.connect(hold)
    yield
    deal_stage_requested.disconnect(hold)


def url(name: str, deal) -> str:
    return reverse(f"deals:deal_{name}", args=[deal.pk])


def stage_of(deal) -> str:
    return Deal.objects.get(pk=deal.pk).stage.key


def test_a_drag_is_answered_with_the_tile_and_the_heads(deal, rep, signed_in):
    answer = signed_in(rep).post(url("stage", deal), {"stage": make_stage("needs").pk}, headers=BOARD)
    text = answer.content.decode()
    assert (answer.status_code, stage_of(deal)) == (200, "needs")
    assert f'data-stage="{make_stage("needs").pk}"' in text
    assert text.count('hx-swap-oob="true"') == 4
    assert "Moved to" in answer.headers["HX-Trigger"]


def test_a_drag_the_funnel_forbids_goes_back_with_the_reason(deal, rep, signed_in):
    make_stage("qualification").allowed_moves.set([make_stage("needs")])
    answer = signed_in(rep).post(url("stage", deal), {"stage": make_stage("contract").pk}, headers=BOARD)
    assert (answer.status_code, stage_of(deal)) == (422, "qualification")
    assert f'data-stage="{deal.stage_id}"' in answer.content.decode()
    assert "a deal goes only to: Needs." in answer.headers["HX-Trigger"]


def test_a_gated_drag_stays_with_a_dotted_tile(deal, rep, signed_in, gate):
    answer = signed_in(rep).post(url("stage", deal), {"stage": make_stage("proposal").pk}, headers=BOARD)
    text = answer.content.decode()
    assert (answer.status_code, stage_of(deal)) == (200, "qualification")
    assert "tile-pending" in text
    assert "→ Proposal" in text
    assert "waiting: commercial offer" in text


def test_the_second_of_two_identical_drags_is_told(deal, rep, signed_in, gate):
    client = signed_in(rep)
    for status in (200, 422):
        answer = client.post(url("stage", deal), {"stage": make_stage("proposal").pk}, headers=BOARD)
        assert answer.status_code == status
    assert "already waiting" in answer.headers["HX-Trigger"]
    assert StageRequest.objects.count() == 1


def test_a_click_on_the_stage_bar(deal, rep, signed_in):
    answer = signed_in(rep).post(url("stage", deal), {"stage": make_stage("proposal").pk}, headers=CARD)
    text = answer.content.decode()
    assert (answer.status_code, stage_of(deal)) == (200, "proposal")
    assert 'id="deal-state"' in text
    assert 'id="deal-facts" hx-swap-oob="true"' in text
    assert "history-changed" in answer.headers["HX-Trigger"]


def test_a_choice_in_the_dialog_closes_it(deal, rep, signed_in):
    client = signed_in(rep)
    assert client.get(url("stage", deal), headers=DIALOG).status_code == 200
    headers = {**DIALOG, "HX-Target": "stage-choices"}
    answer = client.post(url("stage", deal), {"stage": make_stage("needs").pk}, headers=headers)
    assert (answer.status_code, stage_of(deal)) == (204, "needs")
    assert {"dialog-close", "deal-changed"} <= set(__import__("json").loads(answer.headers["HX-Trigger"]))
    answer = client.post(url("stage", deal), {"stage": make_stage("needs").pk}, headers=headers)
    assert answer.status_code == 422


def test_without_javascript_the_form_leads_to_the_card(deal, rep, signed_in):
    answer = signed_in(rep).post(url("stage", deal), {"stage": make_stage("needs").pk})
    assert (answer.status_code, answer.url, stage_of(deal)) == (302, url("detail", deal), "needs")


def test_hostile_stages_are_refused(deal, rep, signed_in):
    for value in ("", "0", "999999", "x", "1; drop table"):
        assert signed_in(rep).post(url("stage", deal), {"stage": value}, headers=BOARD).status_code == 422
    assert not StageRequest.objects.exists()


def test_lost_wants_a_reason(deal, rep, signed_in):
    client, reason = signed_in(rep), make_loss_reason()
    assert client.get(url("closure", deal) + "?to=lost", headers=DIALOG).status_code == 200
    assert client.post(url("closure", deal), {"to": "lost"}, headers=DIALOG).status_code == 422
    answer = client.post(
        url("closure", deal), {"to": "lost", "loss_reason": reason.pk, "reason": "price"}, headers=DIALOG
    )
    assert answer.status_code == 204
    found = Deal.objects.get(pk=deal.pk)
    assert (found.status, found.loss_reason) == ("lost", reason)


def test_won_then_reopened_by_who_may(deal, rep, head, signed_in):
    client = signed_in(rep)
    assert client.post(url("closure", deal), {"to": "won"}).status_code == 302
    assert client.post(url("reopening", deal)).status_code == 403
    assert Deal.objects.get(pk=deal.pk).status == "won"
    assert signed_in(head).post(url("reopening", deal), headers=CARD).status_code == 200
    assert Deal.objects.get(pk=deal.pk).status == "active"


def test_postponed_until(deal, rep, signed_in):
    client, day = signed_in(rep), timezone.localdate() + timedelta(days=40)
    yesterday = timezone.localdate() - timedelta(days=1)
    assert (
        client.post(url("closure", deal), {"to": "postponed", "postponed_until": yesterday}).status_code
        == 422
    )
    assert client.post(url("closure", deal), {"to": "postponed", "postponed_until": day}).status_code == 302
    assert Deal.objects.get(pk=deal.pk).postponed_until == day
    assert client.post(url("reopening", deal)).status_code == 302
    assert Deal.objects.get(pk=deal.pk).status == "active"


def test_withdrawing(deal, rep, teammate, signed_in, gate):
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert signed_in(teammate).post(url("withdrawal", deal)).status_code == 403
    assert signed_in(rep).post(url("withdrawal", deal), headers=CARD).status_code == 200
    assert StageRequest.objects.get().status == RequestStatus.WITHDRAWN
    assert signed_in(rep).post(url("withdrawal", deal), headers=CARD).status_code == 422


def test_passing_the_gate(deal, rep, head, signed_in, gate):
    assert signed_in(head).get(url("override", deal)).status_code == 302
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    assert signed_in(rep).get(url("override", deal)).status_code == 403
    client = signed_in(head)
    assert client.post(url("override", deal), {"reason": ""}, headers=DIALOG).status_code == 422
    assert client.post(url("override", deal), {"reason": "agreed"}, headers=DIALOG).status_code == 204
    assert stage_of(deal) == "proposal"


@pytest.mark.parametrize("verb", VERBS)
def test_strangers_get_404_and_readers_403(deal, outsider, teammate, marketing, signed_in, verb):
    for person, status in ((outsider, 404), (marketing, 404), (teammate, 403)):
        assert signed_in(person).post(url(verb, deal), {"stage": deal.stage_id}).status_code == status


@pytest.mark.parametrize("verb", ["reopening", "withdrawal"])
def test_verbs_are_posted(deal, rep, signed_in, verb):
    assert signed_in(rep).get(url(verb, deal)).status_code == 405


def test_opening_a_deal_from_a_counterparty(deal, rep, signed_in):
    client = signed_in(rep)
    form = client.get(reverse("deals:deal_create"), {"counterparty": deal.counterparty_id}, headers=DIALOG)
    assert form.status_code == 200
    assert deal.counterparty.name in form.content.decode()
    data = {"name": "Second", "counterparty": deal.counterparty_id, "deal_type": deal.deal_type_id, "currency": "PLN",
            "amount": "12 500,50", "owner": rep.pk, "attr_source_note": "fair", "form_token": "once"}  # fmt: skip
    first = client.post(reverse("deals:deal_create"), data)
    again = client.post(reverse("deals:deal_create"), data)
    made = Deal.objects.get(name="Second")
    assert (first.status_code, first.url, again.url) == (302, url("detail", made), url("detail", made))
    assert (str(made.amount), made.attributes) == ("12500.50", {"source_note": "fair"})
    assert client.post(reverse("deals:deal_create"), {"name": ""}).status_code == 422


def test_a_deal_for_an_unseen_counterparty_is_not_opened(deal, outsider, marketing, signed_in):
    data = {
        "name": "x",
        "counterparty": deal.counterparty_id,
        "deal_type": deal.deal_type_id,
        "currency": "PLN",
    }
    assert signed_in(outsider).post(reverse("deals:deal_create"), data).status_code == 422
    assert signed_in(marketing).post(reverse("deals:deal_create"), data).status_code == 403


def test_editing_and_the_conflict_page(deal, rep, head, signed_in):
    client = signed_in(rep)
    assert client.get(url("update", deal), headers=DIALOG).status_code == 200
    data = {
        "name": "Renamed",
        "counterparty": deal.counterparty_id,
        "currency": "PLN",
        "amount": "5",
        "owner": rep.pk,
        "version": 1,
    }
    assert client.post(url("update", deal), data, headers=DIALOG).status_code == 204
    assert Deal.objects.get(pk=deal.pk).name == "Renamed"
    answer = signed_in(head).post(url("update", deal), {**data, "name": "Mine"}, headers=DIALOG)
    assert answer.status_code == 409
    assert Deal.objects.get(pk=deal.pk).name == "Renamed"


def test_files_are_added_and_wrong_ones_said(deal, rep, signed_in):
    client = signed_in(rep)
    good, bad = SimpleUploadedFile("offer.pdf", b"%PDF"), SimpleUploadedFile("virus.exe", b"MZ")
    answer = client.post(
        url("files", deal), {"file": [good, bad]}, headers={"HX-Request": "true", "HX-Target": "deal-files"}
    )
    assert answer.status_code == 422
    assert "offer.pdf" in answer.content.decode()
    assert "virus.exe" in answer.headers["HX-Trigger"]
    assert client.post(url("files", deal)).status_code == 302
