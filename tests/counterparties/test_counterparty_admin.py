"""An administrator makes a type with its attributes on one page."""

from django.urls import reverse

from counterparties.models import CounterpartyType
from crm.attributes.models import AttributeSet
from tests.factories.counterparties import make_counterparty, make_type


def form_values(prefix, rows, initial=0):
    values = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        values |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return values


def row(**values):
    return {"name": "", "name_pl": "", "key": "", "kind": "text", "choices": "[]", "position": "0", **values}


def test_a_type_with_attributes_in_one_go(admin_user, rep, signed_in):
    client = signed_in(admin_user)
    url = reverse("admin:counterparties_counterpartytype_add")
    response = client.get(url)
    assert response.status_code == 200
    prefix = response.context["inline_admin_formsets"][0].formset.prefix
    values = {
        "name": "Public body",
        "name_pl": "Urząd",
        "key": "public",
        "icon": "bank",
        "position": "4",
        "is_active": "on",
    }
    rows = [
        row(name="Budget year", key="budget_year", kind="number", required="on"),
        row(name="Voivodeship", key="region"),
    ]
    response = client.post(url, values | form_values(prefix, rows))
    assert response.status_code == 302, response.context["errors"]
    made = CounterpartyType.objects.get(key="public")
    assert (made.attribute_set.name, made.attribute_set.kind) == (
        "Public body",
        "counterparties.counterparty",
    )
    assert [item.key for item in made.attribute_set.attributes.all()] == ["budget_year", "region"]
    html = client.get(
        reverse("counterparties:counterparty_create"), {"counterparty_type": made.pk}
    ).content.decode()
    assert 'name="attr_budget_year"' in html


def test_an_attribute_added_to_a_type_shows_on_the_card(admin_user, rep, signed_in):
    kind = make_type("person")
    client = signed_in(admin_user)
    url = reverse("admin:counterparties_counterpartytype_change", args=[kind.pk])
    formset = client.get(url).context["inline_admin_formsets"][0].formset
    present = [
        row(id=item.pk, attribute_set=kind.attribute_set_id, name=item.name, key=item.key, kind=item.kind)
        for item in kind.attribute_set.attributes.all()
    ]
    values = {
        "name": kind.name,
        "name_pl": "",
        "key": kind.key,
        "icon": kind.icon,
        "position": "2",
        "is_active": "on",
    }
    rows = [*present, row(name="Shoe size", key="shoe_size")]
    others = form_values("startable_processes", [])
    response = client.post(url, values | others | form_values(formset.prefix, rows, initial=len(present)))
    assert response.status_code == 302, response.context["errors"]
    record = make_counterparty(rep, type_key="person", attributes={"shoe_size": "43"})
    html = (
        signed_in(rep).get(reverse("counterparties:counterparty_detail", args=[record.pk])).content.decode()
    )
    assert "Shoe size" in html and "43" in html


def test_the_set_goes_with_its_type(admin_user, signed_in):
    kind = make_type("person")
    count = AttributeSet.objects.count()
    url = reverse("admin:counterparties_counterpartytype_delete", args=[kind.pk])
    assert signed_in(admin_user).post(url, {"post": "yes"}).status_code == 302
    assert AttributeSet.objects.count() == count - 1
