"""The morning of a head: each list names what is urgent among the deals he may see, and costs the same for any team."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from collab.calendar.services import plan_activity
from crm.people.models import FieldRule
from deals.models import Deal, DealStatus, Payment, StageRequest
from deals.reports.morning import read_morning
from deals.services import override_request, request_stage
from funnel.models import Requirement
from tests.factories.deals import make_deal, make_loss_reason, make_stage


@pytest.fixture
def team(rep, outsider, head, admin_user):
    """A team on a bad day, and the same of a foreign team."""
    Requirement.objects.create(
        stage=make_stage("proposal"), kind="deals.fields", options={"fields_asked": ["amount"]}
    )
    for owner in (rep, outsider):
        tag = "ours" if owner == rep else "theirs"
        lost, back, idle, busy, late, stuck, passed = (
            make_deal(owner, name=f"{name} {tag}")
            for name in ("lost", "back", "idle", "busy", "late", "stuck", "passed")
        )
        request_stage(deal=lost, status=DealStatus.LOST, loss_reason=make_loss_reason(), by=owner)
        request_stage(deal=back, stage=make_stage("needs"), by=owner)
        request_stage(deal=back, stage=make_stage("qualification"), by=owner)
        for deal in (busy, back, stuck, passed):
            plan_activity(
                kind="call", subject="x", starts_at=timezone.now() - timedelta(hours=2), by=owner, deal=deal
            )
        Deal.objects.filter(pk=idle.pk).update(amount=Decimal(9000))
        Deal.objects.filter(pk=late.pk).update(close_date=timezone.localdate() - timedelta(days=4))
        Payment.objects.create(
            deal=late, planned_date=timezone.localdate() - timedelta(days=2), amount=Decimal(700)
        )
        waiting = request_stage(deal=stuck, stage=make_stage("proposal"), by=owner)
        StageRequest.objects.filter(pk=waiting.pk).update(due_at=timezone.now() - timedelta(days=2))
        over = request_stage(deal=passed, stage=make_stage("proposal"), by=owner)
        override_request(request=over, by=head if owner == rep else admin_user, reason="Today")


def test_each_list_names_what_is_urgent_among_ones_own(team, head, rep):
    mine = make_deal(head, name="mine")
    request_stage(deal=mine, stage=make_stage("proposal"), by=head)
    morning = read_morning(head)
    assert [move.request.deal.name for move in morning.mine] == ["mine"]
    assert [one.deal.name for one in morning.stuck] == ["stuck ours"]
    assert {step.deal.name for step in morning.setbacks} == {"lost ours", "back ours", "passed ours"}
    assert morning.idle[0].name == "idle ours"
    assert not {deal.name for deal in morning.idle} & {"busy ours", "back ours", "lost ours"}
    assert [deal.name for deal in morning.late_deals] == ["late ours"]
    assert [payment.deal.name for payment in morning.late_payments] == ["late ours"]
    assert [deal.name for deal in morning.unproven] == ["passed ours"]
    load = {row.person.username: (row.deals, row.late) for row in morning.load}
    assert load["rep"] == (6, 4)
    assert "outsider" not in load


def test_hidden_amounts_show_no_payments_and_no_order(team, head):
    for role in head.roles.all():
        FieldRule.objects.create(role=role, kind="deals.deal", field="amount", level="hidden")
    morning = read_morning(type(head).objects.get(pk=head.pk))
    assert morning.late_payments == []
    assert [deal.pk for deal in morning.idle] == sorted((deal.pk for deal in morning.idle), reverse=True)


def test_on_monday_friday_is_yesterday(head):
    monday = datetime(2026, 11, 23, 8, tzinfo=ZoneInfo("Europe/Warsaw"))
    assert timezone.localtime(read_morning(head, monday).since).date().isoformat() == "2026-11-20"
    assert (
        timezone.localtime(read_morning(head, monday + timedelta(days=1)).since).date().isoformat()
        == "2026-11-23"
    )


def test_the_page_is_for_heads_and_costs_the_same_for_any_team(
    team, head, rep, signed_in, django_assert_max_num_queries
):
    client = signed_in(head)
    with django_assert_max_num_queries(15):
        page = client.get("/deals/morning/").content.decode()
    assert "idle ours" in page
    assert "theirs" not in page
    for number in range(12):
        make_deal(rep, name=f"More {number}")
    with django_assert_max_num_queries(15):
        client.get("/deals/morning/")
    assert signed_in(rep).get("/deals/morning/").status_code == 403
