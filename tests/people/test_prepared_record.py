"""A record read by a query that was written once is the one the queryset gives."""

from crm.people.kinds import kind_named
from crm.people.prepared import PreparedRecord
from tests.factories.deals import make_deal


def test_it_is_the_same_record_with_what_is_read_beside_it(rep, django_assert_num_queries):
    deal = make_deal(rep, amount=1250)
    kind = kind_named("deals.deal")
    prepared = PreparedRecord(lambda pk: kind.with_facts(kind.model.objects.filter(pk=pk)), 1)
    expected = kind.with_facts(kind.model.objects.filter(pk=deal.pk)).get()
    with django_assert_num_queries(1):
        found = prepared.first(deal.pk)
        assert kind.facts(found) == kind.facts(expected)
    assert (type(found), found.__dict__.keys()) == (type(expected), expected.__dict__.keys())
    assert [getattr(found, name) for name in ("amount", "attributes", "created_at", "version")] == [
        getattr(expected, name) for name in ("amount", "attributes", "created_at", "version")
    ]
    assert found.get_deferred_fields() == expected.get_deferred_fields()
    assert prepared.first(deal.pk + 1) is None
