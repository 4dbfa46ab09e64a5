"""Merges that want the same records at the same moment: one wins, the other is told, nothing is lost."""

from functools import partial

import pytest
from django.db import connection

from counterparties.matching.merging import MergeRefused, merge_records
from counterparties.matching.models import Merge
from counterparties.models import ContactLink, Counterparty
from deals.models import Deal
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.moments import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="an in-memory SQLite has one connection"),
]
MEANWHILE = "One of these records has been merged or deleted meanwhile."


def firms(head, number: int) -> list[Counterparty]:
    """Each with a phone, a contact and a deal of its own."""
    found = []
    for place in range(number):
        firm = make_counterparty(head, name=f"Firm {place}", phone=f"60123456{place}")
        make_contact(head, last_name=f"P{place}", counterparty=firm)
        make_deal(head, counterparty=firm, name=f"D{place}")
        found.append(firm)
    return found


def merging(head, survivor, merged):
    return partial(merge_records, survivor=survivor, merged=[merged], by=head)


def assert_nothing_is_lost(number: int) -> None:
    """Whoever is left has all that hung on those who are gone."""
    left = Counterparty.objects.filter(deleted_at=None)
    assert left.count() == number - Merge.objects.count()
    kept = set(left.values_list("pk", flat=True))
    assert Deal.objects.filter(counterparty__in=kept).count() == number
    assert ContactLink.objects.filter(counterparty__in=kept).values("contact").distinct().count() == number
    assert sum(len(firm.phones) or 1 for firm in left) == number


@pytest.mark.parametrize("attempt", range(5))
def test_a_into_b_while_b_into_a(head, attempt):
    one, other = firms(head, 2)
    results = at_once(merging(head, one, other), merging(head, other, one))
    assert sorted(type(result).__name__ for result in results) == ["Merge", "MergeRefused"], results
    [refusal] = [result for result in results if isinstance(result, MergeRefused)]
    assert refusal.messages == [MEANWHILE]
    [merge] = [result for result in results if isinstance(result, Merge)]
    assert list(Counterparty.objects.filter(deleted_at=None)) == [
        Counterparty.objects.get(pk=merge.survivor_id)
    ]
    assert_nothing_is_lost(2)


@pytest.mark.parametrize("attempt", range(3))
def test_three_in_a_ring(head, attempt):
    first, second, third = firms(head, 3)
    results = at_once(
        merging(head, first, second), merging(head, second, third), merging(head, third, first)
    )  # fmt: skip
    refused = [result for result in results if not isinstance(result, Merge)]
    assert 1 <= len(refused) <= 2
    assert all(isinstance(one, MergeRefused) and one.messages == [MEANWHILE] for one in refused), refused
    assert_nothing_is_lost(3)


def test_the_same_merge_twice_at_once(head):
    one, other = firms(head, 2)
    results = at_once(*[merging(head, one, other)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Merge", "MergeRefused"], results
    assert_nothing_is_lost(2)
