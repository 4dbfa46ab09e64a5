"""Two people press at the same moment: one request, one move, and the other is told."""

import pytest
from django.db import connection

from deals.models import Deal, StageRequest, StageTransition
from deals.services import RequestDecided, StageRefused, apply_request, request_stage
from deals.signals import Hold, deal_stage_requested
from tests.factories.deals import make_deal, make_stage
from tests.factories.moments import at_once

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="SQLite's test database lives in memory: one connection cannot wait for another",
)


def hold(sender, **kwargs):
    return Hold("an offer")


@pytest.mark.django_db(transaction=True)
def test_one_of_two_requests_wins(rep):
    pk, needs = make_deal(rep).pk, make_stage("needs")
    deal_stage_requested.connect(hold)
    try:
        results = at_once(*[lambda: request_stage(deal=Deal.objects.get(pk=pk), stage=needs, by=rep)] * 2)
    finally:
        deal_stage_requested.disconnect(hold)
    assert sorted(type(result).__name__ for result in results) == ["StageRefused", "StageRequest"]
    assert StageRequest.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_request_is_applied_once(rep, head):
    deal = make_deal(rep)
    deal_stage_requested.connect(hold)
    try:
        pk = request_stage(deal=deal, stage=make_stage("needs"), by=rep).pk
    finally:
        deal_stage_requested.disconnect(hold)
    results = at_once(*[lambda: apply_request(request=StageRequest.objects.get(pk=pk), by=head)] * 3)
    assert [type(result) for result in results].count(RequestDecided) == 2
    assert StageTransition.objects.filter(cause="request").count() == 1


@pytest.mark.django_db(transaction=True)
def test_free_moves_to_two_places_happen_one_after_the_other(rep):
    pk, stages = make_deal(rep).pk, [make_stage("needs"), make_stage("proposal")]
    results = at_once(
        *[
            lambda stage=stage: request_stage(deal=Deal.objects.get(pk=pk), stage=stage, by=rep)
            for stage in stages
        ]
    )
    assert not [result for result in results if isinstance(result, StageRefused)]
    rows = list(StageTransition.objects.filter(deal_id=pk, cause="request").order_by("pk"))
    assert len(rows) == 2
    assert rows[1].from_stage_id == rows[0].to_stage_id
    assert Deal.objects.get(pk=pk).stage_id == rows[1].to_stage_id
