"""A prepared query finds what Django's own would, for whoever is asked about."""

import pytest

from crm.people.models import Department, User
from crm.people.prepared import Prepared
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db


def same_department(user_id, department_id):
    return (
        User.objects.filter(department_id=department_id).exclude(pk=user_id).order_by("pk").values_list("pk")
    )


def test_it_answers_for_each_number_anew(django_assert_num_queries):
    sales, support = (Department.objects.create(name=name) for name in ("Sales", "Support"))
    ann, bob, eve = (
        make_user(name, department=place)
        for name, place in (("ann", sales), ("bob", sales), ("eve", support))
    )
    colleagues = Prepared(same_department, 2)
    with django_assert_num_queries(3):
        assert colleagues.rows(ann.pk, sales.pk) == [(bob.pk,)]
        assert colleagues.rows(bob.pk, sales.pk) == [(ann.pk,)]
        assert colleagues.rows(ann.pk, support.pk) == [(eve.pk,)]


def test_it_answers_for_each_text_anew(django_assert_num_queries):
    ann, bob = make_user("ann"), make_user("bob")
    named = Prepared(
        lambda pk, name: User.objects.exclude(pk=pk).filter(username=name).order_by().values_list("pk"),
        1,
        texts=1,
    )
    with django_assert_num_queries(3):
        assert named.rows(ann.pk, "bob") == [(bob.pk,)]
        assert named.rows(bob.pk, "bob") == []
        assert named.rows(bob.pk, "a'n%n") == []


def test_a_query_that_forgets_a_number_is_refused():
    with pytest.raises(ValueError, match="does not stand"):
        Prepared(lambda user_id, department_id: User.objects.filter(pk=user_id).values_list("pk"), 2)


def test_rights_given_later_are_seen_by_the_next_reading(rep, teammate):
    from crm.web.sharing import share_record
    from tests.factories.deals import make_deal

    deal = make_deal(teammate)
    assert deal.pk not in User.objects.get(pk=rep.pk).access.shared_ids(type(deal), "view")
    share_record(record=deal, user=rep, action="view", by=teammate)
    assert deal.pk in User.objects.get(pk=rep.pk).access.shared_ids(type(deal), "view")
