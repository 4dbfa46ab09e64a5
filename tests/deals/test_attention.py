"""Stuck, ahead of their proof, without next step, waiting for me: as filters, ready views, columns, on the morning."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from collab.calendar.models import Activity
from collab.calendar.services import complete_activity, plan_activity
from crm.history.models import Comment
from crm.notify.models import Notification
from crm.people.models import FieldRule
from deals.lists import READY, DealList
from deals.models import PATIENCE, Deal, DealStatus, StageRequest
from deals.services import (
    edit_deal,
    override_request,
    pending_request,
    request_stage,
    set_waits,
    withdraw_request,
)
from funnel.models import Requirement, Stage
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_funnel, make_stage
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def requirement(db):
    return Requirement.objects.create(
        stage=make_stage("proposal"), kind="deals.fields", options={"fields_asked": ["amount"]}
    )


def found(client, query, url="/deals/") -> set[str]:
    answer = client.get(f"{url}?{query}")
    if url == "/deals/":
        return {deal.name for deal in answer.context["list"].page}
    return {tile.deal.name for column in answer.context["board"].columns for tile in column.tiles}


def waiting(by, name, **values):
    deal = make_deal(by, name=name, **values)
    request_stage(deal=deal, stage=make_stage("proposal"), by=by)
    return deal


def asked_days_ago(deal, days):
    StageRequest.objects.filter(deal=deal).update(
        requested_at=timezone.now() - timedelta(days=days), due_at=timezone.now() - timedelta(days=days) + PATIENCE
    )  # fmt: skip


def test_the_filters_on_list_and_board_agree_with_each_row(rep, head, requirement, signed_in):
    counterparty, now = make_counterparty(rep), timezone.now()
    make_funnel()
    Stage.objects.filter(key="needs").update(rot_days=None)
    Stage.objects.filter(key="contract").update(rot_days=0)
    for stage, days, status in product(
        ("qualification", "needs", "contract"), (0, 1, 14, 15, 40), (DealStatus.ACTIVE, DealStatus.WON)
    ):
        deal = make_deal(rep, name=f"{stage} {days} {status}", counterparty=counterparty)
        since = now - timedelta(days=days, minutes=1)
        Deal.objects.filter(pk=deal.pk).place(
            stage=make_stage(stage), proven_stage=make_stage("needs"), stage_since=since, status=status
        )
    late = waiting(rep, "late", counterparty=counterparty)
    asked_days_ago(late, 4)
    waiting(rep, "in time", counterparty=counterparty)
    Deal.objects.filter(pk=make_deal(rep, name="unproven", counterparty=counterparty).pk).place(
        proven_stage=None
    )
    everybody = list(Deal.objects.select_related("stage", "proven_stage"))
    stuck = {deal.name for deal in everybody if deal.is_rotting(deal.stage.rot_days)} | {"late"}
    ahead = {deal.name for deal in everybody if deal.is_overridden}
    assert {"qualification 15 active", "contract 1 active", "late"} <= stuck
    assert not {"qualification 14 active", "contract 0 active", "needs 40 active", "in time"} & stuck
    assert {"contract 0 active", "unproven"} <= ahead
    assert not {"qualification 0 active", "needs 0 active", "contract 0 won"} & ahead
    names, client = {deal.name for deal in everybody}, signed_in(head)
    active = {deal.name for deal in everybody if deal.status == DealStatus.ACTIVE}
    for query, expected in (("stuck", stuck), ("overridden", ahead)):
        assert found(client, f"tab=all&f={query}:yes") == expected
        assert found(client, f"tab=all&f={query}:no") == names - expected
        assert found(client, f"f={query}:yes", "/deals/board/") == expected & active
    columns = client.get("/deals/?tab=all&cols=name,stuck,overridden,waits_for").context["list"]
    rows = {row.name: [one.value(row) for one in columns.columns[1:]] for row in columns.page}
    assert {name for name, row in rows.items() if row[0]} == stuck
    assert {name for name, row in rows.items() if row[1]} == ahead
    assert {name for name, row in rows.items() if row[2]} == {"late", "in time"}
    assert rows["late"][2] == str(rep)


def test_waiting_for_me_for_others_and_for_nobody(rep, teammate, head, requirement, signed_in):
    waiting(rep, "rep's")
    waiting(teammate, "teammate's", counterparty=make_counterparty(teammate, name="Inny"))
    role = waiting(rep, "a role's", counterparty=make_counterparty(rep, name="Trzeci"))
    wait = {
        "label": "Look", "label_pl": "Zobacz", "holder_id": None, "holder": "Office", "since": "", "due": None,
        "target": "",
    }  # fmt: skip
    set_waits(request=pending_request(role), waits=[wait], source="requirements")
    make_deal(rep, name="idle", counterparty=make_counterparty(rep, name="Czwarty"))
    client = signed_in(rep)
    assert found(client, "f=waits_for:any:me") == {"rep's"}
    assert found(client, f"f=waits_for:any:{teammate.pk},me") == {"rep's", "teammate's"}
    assert found(client, "f=waits_for:none:me") == {"teammate's", "a role's", "idle"}
    assert found(client, "f=waits_for:empty") == {"idle"}
    assert found(client, "f=waits_for:filled") == {"rep's", "teammate's", "a role's"}
    assert found(signed_in(head), "f=waits_for:any:team") == {"rep's", "teammate's"}


def test_next_step_none_means_what_the_column_shows(rep, head, signed_in):
    planned, done, private, _idle = (
        make_deal(rep, name=name) for name in ("planned", "done", "private", "idle")
    )
    at = timezone.now() + timedelta(days=1)
    plan_activity(kind="call", subject="x", starts_at=at, by=rep, deal=planned)
    over = plan_activity(kind="call", subject="x", starts_at=at, by=rep, deal=done)
    complete_activity(activity=over, result="seen", by=rep)
    secret = plan_activity(kind="call", subject="x", starts_at=at, by=rep, deal=private)
    Activity.objects.filter(pk=secret.pk).update(is_private=True)
    client = signed_in(head)
    assert found(client, "f=next:filled") == {"planned"}
    assert found(client, "f=next:empty") == found(client, "f=next:empty", "/deals/board/")
    assert found(client, "f=next:empty") == {"done", "private", "idle"}
    shown = client.get("/deals/").context["list"].page
    assert {deal.name for deal in shown if deal.next_activity is None} == {"done", "private", "idle"}
    assert found(client, "f=next:yes&f=next:has:x") == {"planned", "done", "private", "idle"}
    with_call, without = make_lead(rep, company="A"), make_lead(rep, company="B")
    plan_activity(kind="call", subject="x", starts_at=at, by=rep, lead=with_call)
    assert [lead.pk for lead in client.get("/leads/?f=next:empty").context["list"].page] == [without.pk]


def test_a_request_knows_when_it_is_due(rep, requirement):
    deal = waiting(rep, "x")
    request = pending_request(deal)
    assert request.due_at == request.requested_at + PATIENCE
    wait = dict(request.waits[0])
    first, second = datetime(2031, 5, 1, tzinfo=UTC), datetime(2031, 4, 1, tzinfo=UTC)
    waits = [wait | {"due": first.isoformat()}, wait | {"due": second.isoformat()}, wait]
    set_waits(request=request, waits=waits, source="requirements")
    request.refresh_from_db()
    assert request.due_at == second
    withdraw_request(request=request, by=rep)
    request.refresh_from_db()
    assert (request.due_at, request.waits) == (None, [])


def test_a_deal_that_gets_its_proof_is_not_stuck_any_more(rep, requirement, signed_in):
    deal = waiting(rep, "x")
    asked_days_ago(deal, 9)
    client = signed_in(rep)
    assert found(client, "f=stuck:yes") == {"x"}
    deal.refresh_from_db()
    edit_deal(deal=deal, values={"amount": 5}, version=deal.version, by=rep)
    assert found(client, "f=stuck:yes") == set()


def test_a_hidden_stage_takes_its_questions_along(rep, head, requirement, signed_in):
    asked_days_ago(waiting(rep, "late"), 9)
    for role in head.roles.all():
        FieldRule.objects.create(role=role, kind="deals.deal", field="stage", level="hidden")
    reader = type(head).objects.get(pk=head.pk)
    assert [view.key for view in DealList(reader, {}).ready_views] == ["idle"]
    for question in ("stuck:no", "overridden:yes", "waits_for:empty"):
        assert found(signed_in(reader), f"f={question}") == {"late"}


def test_ready_views_stand_in_the_menu_of_list_and_board(head, rep, requirement, signed_in):
    waiting(rep, "x")
    client = signed_in(head)
    for url in ("/deals/", "/deals/board/"):
        page = client.get(url).content.decode()
        assert all(view.query in page for view in READY), url


@pytest.mark.parametrize(
    "query", [f"{view.query}&cols=name,stuck,waits_for,overridden,next" for view in READY]
)
def test_they_cost_the_same_for_one_and_for_fifty(rep, head, requirement, signed_in, query):
    def cost(url):
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        return len(queries)

    counterparty, client = make_counterparty(rep), signed_in(head)
    asked_days_ago(waiting(rep, "one", counterparty=counterparty), 9)
    urls = [f"/deals/?{query}", f"/deals/board/?{query}"]
    few = [cost(url) for url in urls] and [cost(url) for url in urls]
    for number in range(50):
        asked_days_ago(waiting(rep, f"n{number}", counterparty=counterparty), 9)
    assert [cost(url) for url in urls] == few
    assert few[0] <= 10 and few[1] <= 12


def test_the_morning_asks_and_opens_what_is_missing(rep, head, requirement, signed_in):
    counterparty = make_counterparty(rep)
    late = waiting(rep, "late", counterparty=counterparty)
    asked_days_ago(late, 9)
    rotten = make_deal(rep, name="rotten", counterparty=counterparty)
    Deal.objects.filter(pk=rotten.pk).place(stage_since=timezone.now() - timedelta(days=30))
    own = make_deal(head, name="own", counterparty=counterparty)
    Deal.objects.filter(pk=own.pk).place(stage_since=timezone.now() - timedelta(days=29))
    passed = waiting(rep, "passed", counterparty=counterparty)
    override_request(request=pending_request(passed), by=head, reason="Today")
    client = signed_in(head)
    page = client.get("/deals/morning/")
    assert [one.deal.name for one in page.context["morning"].stuck] == ["rotten", "own", "late"]
    text = page.content.decode()
    assert f'href="/deals/{own.pk}/stage/"' in text
    for deal in (late, rotten, passed):
        assert f'href="/deals/{deal.pk}/question/"' in text
    for deal in (late, passed):
        assert f'href="/deals/{deal.pk}/proof/"' in text
    for query in ("waits_for:any:me", "stuck:yes", "overridden:yes", "next:empty"):
        assert f'href="/deals/?f={query}"' in text


def test_a_question_names_who_has_the_ball_and_reaches_him(
    rep, teammate, outsider, head, requirement, signed_in
):
    deal = waiting(rep, "late")
    client = signed_in(head)
    ready = client.get(f"/deals/{deal.pk}/question/").context["form"].initial["text"]
    assert ready == "@rep what keeps “late” from “Proposal”?"
    assert client.post(f"/deals/{deal.pk}/question/", {"text": " \x00 "}).status_code == 422
    sent = client.post(f"/deals/{deal.pk}/question/", {"text": ready}, headers={"HX-Request": "true"})
    assert sent.status_code == 204
    assert [(one["login"]) for one in Comment.objects.get().mentions] == ["rep"]
    assert Notification.objects.filter(user=rep).exists()
    own = signed_in(rep).get(f"/deals/{deal.pk}/question/").context["form"].initial["text"]
    assert own.startswith("what keeps")
    assert signed_in(outsider).post(f"/deals/{deal.pk}/question/", {"text": "x"}).status_code == 404
    assert Comment.objects.count() == 1


def test_a_deal_ahead_of_its_proof_shows_what_it_never_proved(rep, head, teammate, requirement, signed_in):
    deal = waiting(rep, "passed")
    override_request(request=pending_request(deal), by=head, reason="Today")
    client, url = signed_in(head), f"/deals/{deal.pk}/proof/"
    shown = client.get(url)
    assert [proof.missing for proof in shown.context["proofs"]] == ["fill in: Amount"]
    text = shown.content.decode()
    assert "To reach “Proposal”" in text and "Save and move on" not in text
    assert client.post(url, {"amount": "x", "version": 1}).status_code == 422
    assert client.post(url, {"amount": "500"}, headers={"HX-Request": "true"}).status_code == 204
    deal.refresh_from_db()
    assert (deal.amount, deal.stage.key, deal.is_proven) == (500, "proposal", False)
    assert [proof.missing for proof in client.get(url).context["proofs"]] == [""]
    Requirement.objects.all().delete()
    assert "a process was passed by" in client.get(url).content.decode()
    assert signed_in(teammate).get(url).status_code == 403
    assert not StageRequest.objects.filter(deal=deal, status="pending").exists()
