"""The derived rows are compared with the records; what an administrator makes searchable is indexed by a job."""

import pytest
from django.core.management import call_command

from crm.attributes.consistency import differences
from crm.attributes.models import Attribute, AttributeValue
from crm.jobs.services import enqueue
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty

pytestmark = pytest.mark.django_db

KINDS = {
    "text": "Łódź", "number": "1 000,5", "money": "12,50", "date": "2026-02-28", "choice": "gold", "bool": True,
    "choices": ["gold", "new"], "person": "teammate", "url": "example.com",
    "phone": "601234567", "email": "a@b.example",
}  # fmt: skip


@pytest.fixture
def record(rep):
    for kind in KINDS:
        make_attribute(f"a_{kind}", kind, filterable=True, unique=kind == "text")
    return make_counterparty(rep, attributes={f"a_{kind}": value for kind, value in KINDS.items()})


def test_what_services_write_agrees(record, capsys):
    assert AttributeValue.objects.count() == len(KINDS) + 1
    assert list(differences()) == []
    call_command("check_consistency")
    assert "are right" in capsys.readouterr().out


@pytest.mark.parametrize(
    "damage",
    [
        lambda row: row.filter(attribute__key="a_text").update(text="krakow"),
        lambda row: row.filter(attribute__key="a_text").update(unique_key="krakow"),
        lambda row: row.filter(attribute__key="a_number").update(number=7),
        lambda row: row.filter(attribute__key="a_date").delete(),
        lambda row: row.filter(attribute__key="a_choices", place=1).delete(),
        lambda row: Attribute.objects.filter(key="a_bool").update(filterable=False),
    ],
)
def test_a_difference_is_told_and_ends_with_1(record, capsys, damage):
    damage(AttributeValue.objects.all())
    assert len(list(differences())) == 1
    with pytest.raises(SystemExit) as ended:
        call_command("check_consistency")
    assert ended.value.code == 1
    assert f"counterparties.counterparty/{record.pk} a_" in capsys.readouterr().out


def test_rows_of_records_that_are_not_of_the_set_are_told(record, rep):
    other = make_counterparty(rep, name="Other", type_key="partner")
    last = make_counterparty(rep, name="Last")
    row = AttributeValue.objects.get(attribute__key="a_number")
    for stray in (other.pk, last.pk + 1000):
        row.pk, row.record_id = None, stray
        row.save(force_insert=True)
    assert [one.record_id for one in differences()] == [other.pk, last.pk + 1000]


def test_an_attribute_that_becomes_searchable_is_indexed_by_a_job(rep, run_jobs):
    attribute = make_attribute("code")
    records = [make_counterparty(rep, name=name, attributes={"code": code}) for name, code in
               (("A", "Łódź"), ("B", "lodz"), ("C", "x"))]  # fmt: skip
    attribute.filterable = attribute.unique = True
    attribute.save()
    assert len(list(differences())) == 3
    job = enqueue(kind="attributes.derive", args={"attribute": attribute.pk})
    run_jobs()
    job.refresh_from_db()
    assert job.result == {"records": 3, "repeated": 1}
    assert list(differences()) == []
    keys = AttributeValue.objects.order_by("record_id").values_list("record_id", "text", "unique_key")
    assert list(keys) == [
        (records[0].pk, "lodz", "lodz"), (records[1].pk, "lodz", None), (records[2].pk, "x", "x"),
    ]  # fmt: skip
    attribute.filterable = attribute.unique = False
    attribute.save()
    enqueue(kind="attributes.derive", args={"attribute": attribute.pk})
    run_jobs()
    assert AttributeValue.objects.count() == 0
