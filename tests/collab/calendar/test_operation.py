"""What processes may put into calendars."""

from datetime import timedelta

import pytest
from django.utils import timezone

from collab.calendar.models import Activity
from crm.history.cards import card_history
from crm.operations.registry import Context, OperationFailed, operation_named
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db


def run(record, by, **inputs):
    operation = operation_named("collab_calendar.create_activity")
    return operation.handler(Context(record=record, by=by, requester=by, via="Commercial offer"), **inputs)


def test_plans_on_the_card_for_its_owner(rep, admin_user):
    deal = make_deal(rep)
    answer = run(deal, admin_user, kind="call", subject="Ask about the offer", due_in="P2D")
    activity = Activity.objects.get(pk=answer["activity_id"])
    assert (activity.deal, activity.owner, activity.subject) == (deal, rep, "Ask about the offer")
    assert abs(activity.starts_at - timezone.now() - timedelta(days=2)) < timedelta(minutes=1)
    event = card_history(user=rep, record=deal, group="call").lines[0].event
    assert (event.actor, event.via) == (admin_user, "Commercial offer")


def test_plans_for_a_named_person(rep, head, admin_user):
    answer = run(make_deal(rep), admin_user, kind="meeting", subject="Look", due_in="PT4H", owner="head")
    assert Activity.objects.get(pk=answer["activity_id"]).owner == head


@pytest.mark.parametrize(
    "inputs",
    [
        {"kind": "pigeon", "subject": "x", "due_in": "P1D"},
        {"kind": "call", "subject": "x", "due_in": "soon"},
        {"kind": "call", "subject": "x", "due_in": "-P1D"},
        {"kind": "call", "subject": "x", "due_in": "P99999W"},
        {"kind": "call", "subject": "x", "due_in": "P1D", "owner": "nobody"},
    ],
)
def test_senseless_inputs_fail_with_a_text(rep, admin_user, inputs):
    with pytest.raises(OperationFailed):
        run(make_deal(rep), admin_user, **inputs)
    assert Activity.objects.count() == 0


def test_acts_with_the_rights_of_the_publisher(rep, outsider):
    with pytest.raises(OperationFailed):
        run(make_deal(rep), outsider, kind="call", subject="x", due_in="P1D")
    assert Activity.objects.count() == 0
