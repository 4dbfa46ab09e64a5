"""The forms and cards of all kinds of record take the richer attributes alike."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from counterparties.models import Contact, Counterparty
from crm.attributes.consistency import differences
from crm.attributes.models import Attribute, AttributeSet
from crm.files.models import StoredFile
from deals.models import Deal
from leads.models import Lead
from tests.factories.attributes import CHOICES
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.deals import make_deal, make_deal_type
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


def counterparty_data(by) -> dict:
    return {"name": "Nowa", "counterparty_type": make_type().pk, "country": "PL"}


def deal_data(by) -> dict:
    return {
        "name": "Nowy", "counterparty": make_counterparty(by).pk, "deal_type": make_deal_type().pk, "currency": "PLN",
    }  # fmt: skip


CARDS = {
    Counterparty: ("counterparties:counterparty", counterparty_data, make_counterparty),
    Contact: ("counterparties:contact", lambda by: {"last_name": "Nowak"}, make_contact),
    Lead: ("leads:lead", lambda by: {"company": "Nowa"}, make_lead),
    Deal: ("deals:deal", deal_data, make_deal),
}


def give_attributes(record) -> None:
    pk = (
        record.get_attribute_set_id()
        or AttributeSet.objects.create(kind=record._meta.label_lower, name="Set").pk
    )
    options = {"attribute_set_id": pk}
    Attribute.objects.filter(**options).update(required=False)
    Attribute.objects.create(
        key="z_tags", name="Tags", kind="choices", choices=CHOICES, filterable=True, **options
    )
    Attribute.objects.create(key="z_paper", name="Paper", kind="file", **options)
    Attribute.objects.create(key="z_expert", name="Expert", kind="person", sortable=True, **options)
    Attribute.objects.create(
        key="z_near",
        name="Near",
        kind="link",
        link_kind="counterparties.counterparty",
        filterable=True,
        **options,
    )


@pytest.mark.parametrize("model", CARDS, ids=lambda model: model.__name__)
def test_created_shown_and_edited(rep, teammate, signed_in, model):
    prefix, data_for, make = CARDS[model]
    give_attributes(make(rep))
    near, client = make_counterparty(rep, name="Sąsiad"), signed_in(rep)
    data = {
        **data_for(rep), "owner": rep.pk, "attr_z_tags": ["gold", "new"], "attr_z_expert": teammate.pk,
        "attr_z_near": near.pk,
    }  # fmt: skip
    page = client.get(reverse(f"{prefix}_create")).content.decode()
    assert 'enctype="multipart/form-data"' in page
    upload = SimpleUploadedFile("papier.pdf", b"%PDF")
    answer = client.post(reverse(f"{prefix}_create"), {**data, "attr_z_paper": upload})
    assert answer.status_code == 302
    record = model.objects.get(pk=int(answer["Location"].rstrip("/").rsplit("/", 1)[1]))
    stored = StoredFile.objects.get()
    assert {key: value for key, value in record.attributes.items() if key.startswith("z_")} == {
        "z_tags": ["gold", "new"], "z_paper": stored.pk, "z_expert": teammate.pk,
        "z_near": f"counterparties.counterparty/{near.pk}",
    }  # fmt: skip
    assert (stored.record_kind, stored.record_id) == (model._meta.label_lower, record.pk)
    card = client.get(answer["Location"]).content.decode()
    assert ("papier.pdf" in card, "Sąsiad" in card, str(teammate) in card) == (True, True, True)
    other = {**data, "attr_z_tags": ["plain"], "attr_z_paper": SimpleUploadedFile("nowy.pdf", b"%PDF")}
    edited = client.post(reverse(f"{prefix}_update", args=[record.pk]), {**other, "version": record.version})
    assert edited.status_code == 302
    record.refresh_from_db()
    assert record.attributes["z_tags"] == ["plain"]
    assert StoredFile.objects.get(pk=record.attributes["z_paper"]).name == "nowy.pdf"
    assert list(differences()) == []


@pytest.mark.parametrize("raw", ["999999", "9" * 40, "-1", "x", "1 OR 1=1", "\x00"])
def test_ids_that_are_none_are_refused(rep, signed_in, raw):
    give_attributes(make_counterparty(rep))
    for name in ("attr_z_near", "attr_z_expert"):
        data = {**counterparty_data(rep), "owner": rep.pk, name: raw}
        answer = signed_in(rep).post(reverse("counterparties:counterparty_create"), data)
        assert answer.status_code == 422, name
    data = {**counterparty_data(rep), "owner": rep.pk, "attr_z_paper": "1"}
    assert signed_in(rep).post(reverse("counterparties:counterparty_create"), data).status_code == 302
    assert "z_paper" not in Counterparty.objects.get(name="Nowa").attributes
