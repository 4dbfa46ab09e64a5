"""What processes may do with a deal, with whose rights, and what they are told when it fails."""

from decimal import Decimal

import pytest

from crm.history.models import Event
from crm.operations.registry import Context, OperationFailed, operation_named
from deals.models import Deal, StageTransition
from tests.factories.deals import make_deal


def run(name: str, deal, by, **inputs) -> dict:
    return operation_named(name).handler(
        Context(record=deal, by=by, requester=by, via="Offer process"), **inputs
    )


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("amount", "1500.5", lambda deal: deal.amount == Decimal("1500.50")),
        ("name", "By process", lambda deal: deal.name == "By process"),
        ("close_date", "2027-01-31", lambda deal: deal.close_date.isoformat() == "2027-01-31"),
        ("source_note", "fair", lambda deal: deal.attributes == {"source_note": "fair"}),
        ("attr_source_note", "fair", lambda deal: deal.attributes == {"source_note": "fair"}),
    ],
)
def test_setting_a_field(rep, head, field, value, read):
    deal = make_deal(rep)
    assert run("deals.set_field", deal, head, field=field, value=value) == {"field": field}
    assert read(Deal.objects.get(pk=deal.pk))
    event = Event.objects.get(kind="deal_changed")
    assert (event.actor, event.via) == (head, "Offer process")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "won"),
        ("stage", "1"),
        ("owner", "1"),
        ("nothing", "x"),
        ("amount", "many"),
        ("close_date", "soon"),
        ("name", ""),
    ],
)
def test_what_may_not_be_set_is_said(rep, head, field, value):
    deal = make_deal(rep)
    with pytest.raises(OperationFailed):
        run("deals.set_field", deal, head, field=field, value=value)
    assert Deal.objects.get(pk=deal.pk).version == 1


def test_moving(rep, head):
    deal = make_deal(rep)
    assert run("deals.request_stage", deal, head, stage="proposal") == {"status": "applied"}
    assert run("deals.request_stage", deal, head, stage="proposal") == {"status": "applied"}
    assert StageTransition.objects.get(cause="request").via == "Offer process"
    with pytest.raises(OperationFailed):
        run("deals.request_stage", deal, head, stage="moon")


def test_the_publishers_rights_count(rep, teammate, outsider):
    deal = make_deal(rep)
    for person in (teammate, outsider):
        with pytest.raises(OperationFailed):
            run("deals.request_stage", deal, person, stage="needs")
        with pytest.raises(OperationFailed):
            run("deals.set_field", deal, person, field="name", value="x")
