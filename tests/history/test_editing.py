"""Two people edit the same record: different fields merge, the same field is a conflict, nothing is lost."""

import pytest
from django.core.exceptions import PermissionDenied
from django.db import transaction

from counterparties.models import Counterparty, CounterpartyType
from crm.attributes.models import Attribute, AttributeSet, AttributeValue
from crm.history.editing import EditConflict, edit_record
from crm.history.models import Event, EventLink


@pytest.fixture
def record(rep):
    schema = AttributeSet.objects.create(name="Company", kind="counterparties.counterparty")
    Attribute.objects.create(attribute_set=schema, name="Size", key="size", kind="number", filterable=True)
    kind = CounterpartyType.objects.create(name="Company", key="company", attribute_set=schema)
    return Counterparty.objects.create(name="Old", city="Łódź", counterparty_type=kind, owner=rep)


@transaction.atomic
def edit(record, by, version=1, attributes=None, **values):
    return edit_record(
        record=record,
        values=values,
        attributes=attributes,
        version=version,
        by=by,
        kind="counterparty_changed",
    )


def test_an_edit_is_one_event_with_its_changes(record, rep):
    event = edit(record, rep, name="New", attributes={"size": "12,5"})
    assert {(c.field, c.old_text, c.new_text) for c in event.changes.all()} == {
        ("name", "Old", "New"),
        ("attr_size", "", "12.5"),
    }
    assert (event.version, record.version, record.attributes) == (2, 2, {"size": "12.5"})
    assert EventLink.objects.filter(kind="counterparties.counterparty", record_id=record.pk).count() == 1
    assert AttributeValue.objects.get().number == 12.5


def test_an_edit_of_nothing_writes_nothing(record, rep):
    assert edit(record, rep, name="Old") is None
    assert (Event.objects.count(), Counterparty.objects.get().version) == (0, 1)


def test_different_fields_merge(record, rep, head):
    edit(record, rep, name="New")
    edit(record, head, version=1, city="Warszawa")
    stored = Counterparty.objects.get()
    assert (stored.name, stored.city, stored.version) == ("New", "Warszawa", 3)


def test_the_same_field_is_a_conflict_and_nothing_is_written(record, rep, head):
    edit(record, rep, name="New", city="Kraków")
    with pytest.raises(EditConflict) as caught:
        edit(record, head, version=1, name="Other", city="Łódź 2")
    clashes = {(clash.field, clash.mine, clash.theirs, clash.actor) for clash in caught.value.clashes}
    assert clashes == {("name", "Other", "New", rep), ("city", "Łódź 2", "Kraków", rep)}
    stored = Counterparty.objects.get()
    assert (stored.name, stored.city, stored.version) == ("New", "Kraków", 2)


def test_the_same_new_value_is_no_conflict(record, rep, head):
    edit(record, rep, name="New")
    assert edit(record, head, version=1, name="New") is None


def test_the_same_attribute_is_a_conflict(record, rep, head):
    edit(record, rep, attributes={"size": "1"})
    with pytest.raises(EditConflict):
        edit(record, head, version=1, attributes={"size": "2"})


def test_an_outsider_may_not_edit(record, outsider):
    with pytest.raises(PermissionDenied):
        edit(record, outsider, name="Mine")
    assert Counterparty.objects.get().name == "Old"
