"""Funnels, stages, moves and types of deals are changed outside the administration, by whoever may, on record."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied, ValidationError

from crm.history.models import Event
from deals.models import Deal, DealStatus, DealType, StageTransition
from deals.services import StageRefused, pending_request, request_stage
from funnel.models import Funnel, Stage
from funnel.services import map_of
from funnel.shaping import remove_stage, save_stage, set_moves
from tests.factories.bpm import chain, make_gate, user_task
from tests.factories.deals import make_deal, make_deal_type, make_funnel, make_loss_reason, make_stage

pytestmark = pytest.mark.django_db

NEW = {"name": " Pilot  phase ", "name_pl": "Pilotaż", "colour": "teal", "probability": "60", "rot_days": "7",
       "expected_conversion": "40"}  # fmt: skip


@pytest.fixture
def boss(admin_user, signed_in):
    make_deal_type()
    return signed_in(admin_user)


def said() -> list[str]:
    return [entry.change_message for entry in LogEntry.objects.order_by("pk")]


def test_a_funnel_and_its_stages_are_made_and_renamed(boss):
    assert boss.post("/funnels/new/", {"name": "Tenders", "is_active": "on"}).status_code == 302
    funnel = Funnel.objects.get(key="tenders")
    assert boss.post(f"/funnels/{funnel.pk}/stages/new/", NEW).status_code == 302
    stage = funnel.stages.get()
    assert (stage.name, stage.key, stage.probability, stage.expected_conversion, stage.rot_days) == (
        "Pilot phase", "pilot-phase", 60, 40, 7,
    )  # fmt: skip
    changed = NEW | {"name": "Trial", "probability": "65"}
    assert boss.post(f"/funnels/stages/{stage.pk}/edit/", changed).status_code == 302
    stage.refresh_from_db()
    assert (stage.name, stage.key, stage.probability) == ("Trial", "pilot-phase", 65)
    assert said()[-1] == "name: Pilot phase → Trial; probability: 60 → 65"
    assert boss.post(f"/funnels/{funnel.pk}/edit/", {"name": "Bids", "is_active": "on"}).status_code == 302
    assert "Bids" in (page := boss.get("/funnels/").content.decode())
    assert "name: Pilot phase → Trial" in page


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"probability": "101"}, {"probability": "-1"}, {"colour": "pink"}, {"rot_days": "x"},
     {"expected_conversion": "400"}, {"name": "x" * 121}],
)  # fmt: skip
def test_what_is_no_stage_is_refused(boss, wrong):
    funnel = make_funnel()
    assert boss.post(f"/funnels/{funnel.pk}/stages/new/", NEW | wrong).status_code == 422
    assert funnel.stages.count() == 4


def test_stages_are_put_in_another_order(boss):
    funnel = make_funnel()
    ids = [stage.pk for stage in funnel.stages.all()]
    wanted = [ids[2], ids[0], ids[1], ids[3]]
    assert boss.post(f"/funnels/{funnel.pk}/order/", {"row": wanted}).status_code == 302
    assert [stage.pk for stage in map_of(funnel).stages] == wanted
    assert said()[-1].startswith("order: Proposal, Qualification")
    assert boss.post(f"/funnels/{funnel.pk}/order/", {"row": [0]}).status_code == 422


def test_the_matrix_says_where_deals_go(boss, rep):
    funnel = make_funnel()
    one, two, three, four = map_of(funnel).stages
    page = boss.get(f"/funnels/{funnel.pk}/moves/").content.decode()
    assert page.count("checked") == 12
    forward = [f"{one.pk}-{two.pk}", f"{two.pk}-{three.pk}", f"{three.pk}-{four.pk}", f"{four.pk}-{three.pk}"]
    assert boss.post(f"/funnels/{funnel.pk}/moves/", {"move": forward}).status_code == 302
    moves = map_of(funnel).moves
    assert (moves[one.pk], moves[four.pk]) == ({two.pk}, {three.pk})
    with pytest.raises(StageRefused, match="goes only to: Needs"):
        request_stage(deal=make_deal(rep), stage=three, by=rep)
    refused = boss.post(f"/funnels/{funnel.pk}/moves/", {"move": forward[:3]})
    assert (refused.status_code, "From “Contract” a deal could go nowhere." in refused.content.decode()) == (
        422,
        True,
    )
    assert map_of(funnel).moves == moves


def test_every_move_ticked_means_new_stages_too(boss, admin_user):
    funnel = make_funnel()
    stages = map_of(funnel).stages
    everything = {stage.pk: {one.pk for one in stages} for stage in stages}
    set_moves(funnel=funnel, moves=everything, by=admin_user)
    fresh = save_stage(funnel=funnel, values={"name": "Pilot", "name_pl": ""}, by=admin_user)
    assert map_of(funnel).allows(stages[0].pk, fresh.pk)


def test_a_stage_nobody_ever_used_is_deleted(boss, rep):
    stage = make_stage("contract")
    assert boss.post(f"/funnels/stages/{stage.pk}/removal/").status_code == 302
    assert not Stage.objects.filter(pk=stage.pk).exists()


def test_a_stage_in_use_asks_where_its_deals_go(boss, rep, admin_user):
    deal, lost = make_deal(rep), make_deal(rep)
    here, there = make_stage("qualification"), make_stage("needs")
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    url = f"/funnels/stages/{here.pk}/removal/"
    assert "1 open deal stands here" in boss.get(url).content.decode()
    assert boss.post(url).status_code == 422
    assert boss.post(url, {"to": here.pk}).status_code == 422
    assert boss.post(url, {"to": there.pk}).status_code == 302
    deal.refresh_from_db()
    lost.refresh_from_db()
    assert (deal.stage, deal.is_proven, lost.stage) == (there, True, here)
    row = StageTransition.objects.filter(deal=deal).latest("pk")
    assert (row.cause, row.from_stage, row.to_stage, row.actor) == ("removed", here, there, admin_user)
    assert Event.objects.filter(kind="deal_stage_retired", subject_id=deal.pk).exists()
    here.refresh_from_db()
    assert not here.is_active
    assert [stage.key for stage in map_of(here.funnel_id).stages] == ["needs", "proposal", "contract"]
    assert here.funnel.first_stage() == there
    assert (
        "Qualification"
        not in boss.get("/deals/board/")
        .content.decode()
        .partition("board-outcomes")[0]
        .partition('id="board"')[2]
    )


def test_nothing_goes_to_a_retired_stage_and_a_reopened_deal_goes_on_beside_it(boss, rep, head, admin_user):
    deal, lost = make_deal(rep), make_deal(rep)
    for one in (deal, lost):
        request_stage(deal=one, stage=make_stage("needs"), by=rep)
    request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=rep)
    stage = make_stage("needs")
    remove_stage(stage=stage, to=make_stage("proposal"), by=admin_user)
    stage.refresh_from_db()
    with pytest.raises(StageRefused, match="not used any more"):
        request_stage(deal=deal, stage=stage, by=rep)
    assert boss.get(f"/deals/{lost.pk}/").status_code == 200
    request_stage(deal=lost, status=DealStatus.ACTIVE, by=head)
    assert lost.stage.key == "qualification"
    assert boss.post(f"/funnels/stages/{stage.pk}/return/").status_code == 302
    assert [one.key for one in map_of(stage.funnel_id).stages][-1] == "needs"


def test_waiting_moves_to_a_retired_stage_are_withdrawn(boss, rep, admin_user, run_jobs):
    stage = make_stage("proposal")
    make_gate(admin_user, chain(user_task("Agree")), stage_key="proposal")
    deal = make_deal(rep)
    request_stage(deal=deal, stage=stage, by=rep)
    assert pending_request(deal) is not None
    remove_stage(stage=stage, by=admin_user)
    assert pending_request(deal) is None
    assert Deal.objects.get(pk=deal.pk).stage.key == "qualification"


def test_a_stage_that_others_lead_only_to_stays(boss, admin_user):
    one, two = make_stage("qualification"), make_stage("needs")
    one.allowed_moves.set([two])
    with pytest.raises(ValidationError, match="deals go only to this stage"):
        remove_stage(stage=two, by=admin_user)
    assert Stage.objects.filter(pk=two.pk, is_active=True).exists()


def test_the_last_stage_stays(boss, admin_user):
    for key in ("needs", "proposal", "contract"):
        remove_stage(stage=make_stage(key), by=admin_user)
    with pytest.raises(ValidationError, match="at least one stage"):
        remove_stage(stage=make_stage("qualification"), by=admin_user)


def test_a_funnel_in_use_stays_offered(boss, rep):
    funnel = make_funnel()
    assert boss.post(f"/funnels/{funnel.pk}/edit/", {"name": "New"}).status_code == 422
    DealType.objects.update(is_active=False)
    assert boss.post(f"/funnels/{funnel.pk}/edit/", {"name": "New"}).status_code == 302


def test_a_type_chooses_the_funnel_of_its_new_deals(boss, rep):
    old = make_deal(rep)
    other = make_funnel("renewal", "Renewal")
    kind = old.deal_type
    sent = {"name": "Sale", "funnel": other.pk, "is_default": "on", "is_active": "on"}
    assert boss.post(f"/funnels/types/{kind.pk}/edit/", sent).status_code == 302
    old.refresh_from_db()
    kind.refresh_from_db()
    assert (old.funnel.key, make_deal(rep, deal_type=kind).funnel.key) == ("new", "renewal")
    assert boss.post("/funnels/types/new/", sent | {"name": "Rent"}).status_code == 302
    made = DealType.objects.get(key="rent")
    assert (made.attribute_set.kind, made.is_default) == ("deals.deal", True)
    kind.refresh_from_db()
    assert not kind.is_default
    empty = Funnel.objects.create(key="empty", name="Empty")
    assert boss.post(f"/funnels/types/{kind.pk}/edit/", sent | {"funnel": empty.pk}).status_code == 422


def test_one_page_tells_all_that_guards_a_stage(boss, admin_user):
    make_gate(admin_user, chain(user_task("Agree")), stage_key="proposal")
    page = boss.get("/funnels/").content.decode()
    assert "Process: " in page
    assert "into the stage" in page


def test_only_who_may_change_funnels(rep, head, signed_in, admin_user):
    funnel, stage, kind = make_funnel(), make_stage("needs"), make_deal_type()
    addresses = ["new/", "order/", f"{funnel.pk}/edit/", f"{funnel.pk}/moves/", f"{funnel.pk}/order/",
                 f"{funnel.pk}/stages/new/", f"stages/{stage.pk}/edit/", f"stages/{stage.pk}/removal/",
                 "types/new/", f"types/{kind.pk}/edit/"]  # fmt: skip
    for user in (rep, head):
        for address in addresses:
            assert signed_in(user).get(f"/funnels/{address}").status_code == 403
            assert signed_in(user).post(f"/funnels/{address}", NEW).status_code == 403
        with pytest.raises(PermissionDenied):
            remove_stage(stage=stage, by=user)
    assert Stage.objects.count() == 4


def test_the_page_costs_the_same_for_many_stages(boss, admin_user, django_assert_max_num_queries):
    for number in range(10):
        save_stage(funnel=make_funnel(), values={"name": f"Stage {number}", "name_pl": ""}, by=admin_user)
    with django_assert_max_num_queries(18):
        boss.get("/funnels/")
