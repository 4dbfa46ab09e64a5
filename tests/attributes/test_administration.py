"""Attributes on the page of their type: conditions and defaults are checked, what becomes searchable is indexed."""

import pytest
from django.urls import reverse

from crm.attributes.consistency import differences
from crm.attributes.models import Attribute
from crm.jobs.models import Job
from tests.factories.attributes import make_attribute
from tests.factories.counterparties import make_counterparty, make_type

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(admin_user, signed_in):
    """post(rows, initial=()) -> the answer of the type's page to these attributes, existing ones first."""
    kind = make_type("partner")
    Attribute.objects.filter(attribute_set=kind.attribute_set).delete()

    def send(*rows, initial=0):
        data = {
            "name": kind.name, "name_pl": "", "key": kind.key, "icon": "building", "position": "1", "is_active": "on",
            "attributes-TOTAL_FORMS": str(len(rows)), "attributes-INITIAL_FORMS": str(initial),
            "startable_processes-TOTAL_FORMS": "0", "startable_processes-INITIAL_FORMS": "0",
        }  # fmt: skip
        for number, row in enumerate(rows):
            values = {"position": "1", "kind": "text", **row}
            data |= {f"attributes-{number}-{name}": value for name, value in values.items()}
        url = reverse("admin:counterparties_counterpartytype_change", args=[kind.pk])
        return signed_in(admin_user).post(url, data)

    return send


TIER = {"name": "Tier", "kind": "choice", "choices": "gold | Gold | złoty\nplain"}


def test_all_that_belongs_to_an_attribute_is_saved(post):
    answer = post(
        {**TIER, "default": "gold"},
        {"name": "Reason", "shown_if_key": "tier", "shown_if_values": "gold, plain"},
        {"name": "Parent", "kind": "link", "link_kind": "counterparties.counterparty"},
    )
    assert answer.status_code == 302
    found = {one.key: one for one in Attribute.objects.filter(key__in=["tier", "reason", "parent"])}
    assert found["tier"].default == "gold"
    assert (found["reason"].shown_if_key, found["reason"].shown_if_values) == ("tier", ["gold", "plain"])
    assert found["parent"].link_kind == "counterparties.counterparty"


@pytest.mark.parametrize(
    "rows",
    [
        [TIER, {"name": "A", "shown_if_key": "gone", "shown_if_values": "x"}],
        [TIER, {"name": "A", "shown_if_key": "tier", "shown_if_values": "silver"}],
        [TIER, {"name": "A", "shown_if_key": "tier", "shown_if_values": ""}],
        [{"name": "A"}, {"name": "B", "shown_if_key": "a", "shown_if_values": "x"}],
        [{**TIER, "shown_if_key": "tier", "shown_if_values": "gold"}],
        [{**TIER, "default": "silver"}],
        [{"name": "A", "kind": "link"}],
        [{"name": "A", "kind": "link", "link_kind": "people.user"}],
        [{"name": "A", "kind": "link", "link_kind": "leads.lead", "default": "1"}],
        [{"name": "A", "kind": "choices"}],
        [{"name": "A", "kind": "nonsense"}],
    ],
)
def test_what_does_not_fit_is_refused(post, rows):
    before = Attribute.objects.count()
    assert post(*rows).status_code == 200
    assert Attribute.objects.count() == before


def test_a_kind_is_not_changed_by_the_form(post):
    attribute = make_attribute("code", type_key="partner")
    row = {"id": attribute.pk, "attribute_set": attribute.attribute_set_id, "name": "Code", "key": "code"}
    assert post({**row, "kind": "number", "key": "other"}, initial=1).status_code == 302
    attribute.refresh_from_db()
    assert (attribute.kind, attribute.key) == ("text", "code")


def test_what_becomes_filterable_is_indexed(post, rep, run_jobs):
    attribute = make_attribute("code", type_key="partner")
    make_counterparty(rep, type_key="partner", attributes={"code": "x"})
    row = {"id": attribute.pk, "attribute_set": attribute.attribute_set_id, "name": "Code", "key": "code"}
    assert post({**row, "filterable": "on"}, initial=1).status_code == 302
    assert Job.objects.filter(kind="attributes.derive").count() == 1
    assert len(list(differences())) == 1
    run_jobs()
    assert list(differences()) == []
