"""The counts of tabs: one query, never beyond the limit."""

import pytest

from crm.listing.counting import capped_counts
from crm.people.models import User
from deals.lists import DealList
from deals.models import Deal
from tests.factories.deals import make_deal

pytestmark = pytest.mark.django_db


def test_counts_stop_at_the_limit_in_one_query(rep, django_assert_num_queries):
    for number in range(4):
        make_deal(rep, name=f"Deal {number}")
    parts = [
        ("all", Deal.objects.all()),
        ("third", Deal.objects.filter(name="Deal 2")),
        ("none", Deal.objects.none()),
    ]
    with django_assert_num_queries(1):
        assert capped_counts(parts, 3) == {"all": 3, "third": 1, "none": 0}


def test_nothing_to_count_asks_nothing(rep, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert capped_counts([("none", Deal.objects.none())], 3) == {"none": 0}


@pytest.mark.parametrize("login", ["rep", "head", "admin", "outsider"])
def test_tabs_count_what_each_person_sees(company, login):
    make_deal(company["rep"], name="Seen")
    user = User.objects.get(username=login)
    counts = {value: count for value, _label, count in DealList(user, {}).tab_counts()}
    assert counts["active"] == Deal.objects.visible_to(user).count() == (0 if login == "outsider" else 1)
