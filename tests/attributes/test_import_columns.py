"""Attributes of every kind as columns of an import."""

import pytest

from crm.attributes.models import Attribute, AttributeSet, AttributeValue
from crm.people.models import RoleScope
from leads.import_fields import fields_for
from leads.models import LEAD_KIND, Lead
from tests.factories import sheets
from tests.factories.attributes import CHOICES
from tests.factories.counterparties import make_counterparty
from tests.factories.imports import finished_import

pytestmark = pytest.mark.django_db

COLUMNS = {
    "Etykiety": "choices", "Ekspert": "person", "Spółka matka": "link", "Katalog": "url", "Infolinia": "phone",
    "Skrzynka": "email", "Umowa": "file",
}  # fmt: skip


@pytest.fixture
def schema(rep):
    for role in rep.roles.all():
        RoleScope.objects.update_or_create(
            role=role, kind=LEAD_KIND, action="import", defaults={"scope": "all"}
        )
    rep.__dict__.pop("access", None)
    schema, _ = AttributeSet.objects.get_or_create(kind=LEAD_KIND, defaults={"name": "Lead"})
    for number, (name, kind) in enumerate(COLUMNS.items()):
        Attribute.objects.create(
            attribute_set=schema, key=f"a{number}", name=name, kind=kind, filterable=kind != "file",
            choices=CHOICES if kind == "choices" else [],
            link_kind="counterparties.counterparty" if kind == "link" else "",
        )  # fmt: skip
    Attribute.objects.create(attribute_set=schema, key="grade", name="Grade", kind="number", default="5")


def test_a_file_is_no_column(rep, schema):
    keys = {one.key for one in fields_for(rep) if one.key.startswith("attr_")}
    assert keys == {"attr_grade", *(f"attr_a{number}" for number in range(6))}


def test_every_kind_is_read_from_its_column(rep, teammate, outsider, schema, tmp_path, run_jobs):
    parent = make_counterparty(rep, name="Huta Żelazna")
    make_counterparty(outsider, name="Secret")
    rows = [
        ["Firma", *list(COLUMNS)[:6]],
        ["Alfa", "złoty; New", "teammate", "huta żelazna", "example.com", "601 234 567, 602 345 678", "A@b.example"],
        ["Beta", "", "", "Secret", "", "", ""],
        ["Gamma", "silver", "", "", "", "", ""],
        ["Delta", "", "", "", "javascript:alert(1)", "", ""],
    ]  # fmt: skip
    run = finished_import(
        sheets.write_workbook(tmp_path / "a.xlsx", rows), by=rep, run_jobs=run_jobs, kind=LEAD_KIND
    )
    assert run.counts == {"created": 1, "bad": 2, "failed": 1}
    lead = Lead.objects.get(name="Alfa")
    assert lead.attributes == {
        "a0": ["gold", "new"], "a1": teammate.pk, "a2": f"counterparties.counterparty/{parent.pk}",
        "a3": "https://example.com", "a4": "+48601234567", "a5": "a@b.example", "grade": "5",
    }  # fmt: skip
    assert "+48602345678" in lead.note
    assert AttributeValue.objects.filter(record_kind=LEAD_KIND, record_id=lead.pk).count() == 7
