"""The index of fragments holds what the records hold, whatever was done to them, and after a table is remade."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from counterparties.models import Counterparty
from crm.people.fragments import LENGTH, index_fragments
from crm.people.search import matching
from tests.factories.counterparties import make_counterparty

TABLE = "counterparties_counterparty"
WORDS = st.text(alphabet="ab\"'%_\\*() ł9", min_size=1, max_size=8)


def found(query):
    return set(Counterparty.objects.filter(matching(query)).values_list("name", flat=True))


def test_a_fragment_follows_every_way_of_writing(rep):
    record = make_counterparty(rep, name="Huta Łabędy")
    assert found("labed") == {"Huta Łabędy"}
    Counterparty.objects.filter(pk=record.pk).update(search_text="walcownia")
    assert (found("labed"), found("alcow")) == (set(), {"Huta Łabędy"})
    Counterparty.objects.bulk_update([Counterparty(pk=record.pk, search_text="odlewnia")], ["search_text"])
    assert (found("alcow"), found("dlewn")) == (set(), {"Huta Łabędy"})
    Counterparty.objects.filter(pk=record.pk).delete()
    assert found("dlewn") == set()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(WORDS, max_size=4), fragment=WORDS)
def test_fragments_are_found_where_they_stand(rep, texts, fragment):
    fragment = fragment.strip()
    if len(fragment) < LENGTH or " " in fragment:
        return
    Counterparty.objects.all().delete()
    record = make_counterparty(rep, name="x")
    rows = [
        Counterparty(
            owner=rep, counterparty_type=record.counterparty_type, name=str(number), search_text=text
        )
        for number, text in enumerate(texts)
    ]
    Counterparty.objects.bulk_create(rows)
    expected = {row.name for row in rows if fragment in row.search_text}
    holding = Counterparty.objects.filter(search_text__holds=fragment)
    assert set(holding.values_list("name", flat=True)) == expected
    beginning = Counterparty.objects.filter(search_text__begins=fragment)
    assert set(beginning.values_list("name", flat=True)) == {
        row.name for row in rows if row.search_text.startswith(fragment)
    }


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite loses triggers")
def test_a_remade_table_gets_its_index_again(rep):
    record = make_counterparty(rep, name="Huta Łabędy")
    with connection.cursor() as cursor:
        for when in ("insert", "update", "delete"):
            cursor.execute(f"DROP TRIGGER {TABLE}_fragments_{when}")
    Counterparty.objects.filter(pk=record.pk).update(search_text="walcownia")
    assert found("alcow") == set()
    index_fragments()
    assert found("alcow") == {"Huta Łabędy"}
    make_counterparty(rep, name="Odlewnia")
    assert found("dlewn") == {"Odlewnia"}


@pytest.mark.parametrize("query", ["labed", "zz"])
def test_a_fragment_is_looked_up_in_the_index(rep, query):
    rows = Counterparty.objects.filter(matching(query)).order_by()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    assert "_fragments" in rows.explain()
