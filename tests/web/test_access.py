"""Fetching a record for a page: 404 for the unseen, 403 for what is seen but not allowed."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from counterparties.models import Counterparty
from crm.people.models import Role, RoleScope
from crm.people.visibility import share
from crm.web.access import get_visible
from tests.factories.counterparties import make_counterparty
from tests.factories.people import make_user


def make_reader(scope="none"):
    role = Role.objects.create(key=f"reader-{scope}", name="Reader")
    RoleScope.objects.create(role=role, kind="counterparties.counterparty", action="view", scope=scope)
    return make_user(f"reader-{scope}", roles=[role])


def test_the_owner_gets_his_record_for_every_action(rep):
    record = make_counterparty(rep)
    assert get_visible(Counterparty, rep, record.pk) == record
    assert get_visible(Counterparty, rep, record.pk, "edit") == record


@pytest.mark.parametrize("action", ["view", "edit", "delete", "no-such-action"])
def test_an_outsider_meets_nothing_whatever_he_asks(rep, outsider, action):
    record = make_counterparty(rep)
    with pytest.raises(Http404):
        get_visible(Counterparty, outsider, record.pk, action)


def test_a_reader_may_look_but_not_touch(rep):
    record, reader = make_counterparty(rep), make_reader("all")
    assert get_visible(Counterparty, reader, record.pk) == record
    with pytest.raises(PermissionDenied):
        get_visible(Counterparty, reader, record.pk, "edit")


def test_a_shared_record_is_seen_and_not_edited(rep):
    record, reader = make_counterparty(rep), make_reader()
    share(record=record, user=reader, by=rep)
    assert get_visible(Counterparty, reader, record.pk) == record
    with pytest.raises(PermissionDenied):
        get_visible(Counterparty, reader, record.pk, "edit")


def test_a_deleted_record_and_a_number_nobody_has_are_the_same(rep):
    from django.utils import timezone

    record = make_counterparty(rep)
    Counterparty.objects.filter(pk=record.pk).update(deleted_at=timezone.now())
    for pk in (record.pk, record.pk + 1000):
        with pytest.raises(Http404):
            get_visible(Counterparty, rep, pk, "edit")


def test_a_given_queryset_costs_one_query(rep, django_assert_num_queries):
    record = make_counterparty(rep)
    assert rep.access.headed_departments() is not None
    with django_assert_num_queries(1):  # the record with its type: what was shared came with the rights
        found = get_visible(
            Counterparty, rep, record.pk, queryset=Counterparty.objects.select_related("counterparty_type")
        )
        assert str(found.counterparty_type)
