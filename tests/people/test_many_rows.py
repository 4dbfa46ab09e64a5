"""Rows written past the model layer are the rows the model would have written, on both databases."""

from decimal import Decimal

import pytest
from django.utils import timezone

from crm.history.models import Event, EventLink
from crm.people.many_rows import insert_rows, update_rows
from crm.people.models import Department
from deals.models import Deal
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db


def test_inserted_rows_read_back_as_the_model_reads_them():
    now = timezone.now()
    event = Event.objects.create(kind="comment_added", at=now, subject_kind="leads.lead", subject_id=1)
    odd = [(event.pk, "a'b\"%s", 7, now), (event.pk, "łódź\\N", 2**40, now)]
    insert_rows(EventLink, ("event", "kind", "record_id", "at"), odd)
    rows = EventLink.objects.order_by("pk").values_list("event", "kind", "record_id", "at")
    assert list(rows) == odd


def test_updated_rows_change_alone_and_json_stays_json():
    events = [
        Event.objects.create(kind="comment_added", at=timezone.now(), subject_kind="k", subject_id=number)
        for number in range(3)
    ]
    changes = {events[0].pk: ({"a": [1, "ż"]}, None), events[2].pk: ({}, 5)}
    update_rows(Event, ("payload", "version"), changes)
    rows = Event.objects.order_by("pk").values_list("payload", "version")
    assert list(rows) == [({"a": [1, "ż"]}, None), ({}, None), ({}, 5)]


def test_money_is_written_as_money(rep):
    deal = make_deal(rep, amount=Decimal(5))
    update_rows(Deal, ("amount",), {deal.pk: (Decimal("12.34"),)})
    assert Deal.objects.get(pk=deal.pk).amount == Decimal("12.34")


def test_nothing_to_write_asks_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        insert_rows(Department, ("name",), [])
        update_rows(Department, ("name",), {})
