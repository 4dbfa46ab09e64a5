"""Opening and editing deals: the ledger, history, rights, attributes, files."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crm.attributes.models import AttributeValue
from crm.files.models import StoredFile
from crm.history.editing import EditConflict
from crm.history.models import Event
from crm.notify.models import LiveRow
from deals.facts import deal_facts
from deals.models import Deal, DealContact, LedgerError, StageTransition, StageWriteError
from deals.services import attach_to_deal, create_deal, edit_deal, set_contacts
from deals.signals import deal_changed, deal_created, deal_file_attached
from deals.standard import create_standard_deals
from funnel.models import Funnel
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal, make_deal_type, make_stage

TODAY = timezone.localdate


def heard(signal):
    found = []

    def hear(sender, signal, **payload):
        found.append(payload)

    signal.connect(hear)
    return found, lambda: signal.disconnect(hear)


def ledger(deal) -> list[tuple]:
    return list(
        StageTransition.objects.filter(deal=deal)
        .order_by("pk")
        .values_list("cause", "amount", "close_date", "owner__username")
    )


def test_a_deal_is_born_at_the_first_stage(rep):
    counterparty = make_counterparty(rep)
    contact = make_contact(rep, counterparty=counterparty)
    found, stop = heard(deal_created)
    deal = create_deal(
        name="  Conveyor   belt ", counterparty=counterparty, deal_type=make_deal_type(), by=rep,
        amount=Decimal("100.50"), contacts=[contact], attributes={"source_note": "fair"},
    )  # fmt: skip
    stop()
    deal = Deal.objects.get(pk=deal.pk)
    assert (deal.name, deal.stage.key, deal.status, deal.owner, deal.department) == (
        "Conveyor belt", "qualification", "active", rep, rep.department,
    )  # fmt: skip
    assert deal.number == f"{TODAY().year}/00001"
    assert (deal.amount, deal.currency_id) == (Decimal("100.50"), "PLN")
    assert list(deal.contacts.all()) == [contact]
    assert AttributeValue.objects.get(record_kind="deals.deal", record_id=deal.pk).text == "fair"
    assert ledger(deal) == [("created", Decimal("100.50"), None, "rep")]
    event = Event.objects.get(kind="deal_created")
    assert set(event.links.values_list("kind", flat=True)) == {
        "deals.deal",
        "counterparties.counterparty",
        "counterparties.contact",
    }
    assert [payload["deal"].pk for payload in found] == [deal.pk]
    assert LiveRow.objects.filter(kind="deals.deal", record_id=deal.pk).exists()


def test_the_default_type_is_taken_when_none_is_chosen(rep):
    with pytest.raises(ValidationError):
        create_deal(name="x", counterparty=make_counterparty(rep), by=rep)
    create_standard_deals()
    assert (
        create_deal(name="x", counterparty=make_counterparty(rep, name="B"), by=rep).deal_type.key == "sale"
    )


def test_a_funnel_without_stages_is_said_in_words(rep):
    deal_type = make_deal_type(funnel=Funnel.objects.create(key="empty", name="Empty"))
    with pytest.raises(ValidationError) as error:
        make_deal(rep, deal_type=deal_type)
    assert error.value.messages == ["The funnel “Empty” has no stages yet."]


@pytest.mark.parametrize("values", [{"name": ""}, {"name": "x" * 201}, {"amount": Decimal("10000000000001")}])
def test_wrong_values_are_refused(rep, values):
    with pytest.raises(ValidationError):
        make_deal(rep, **values)
    assert not Deal.objects.exists()


def test_the_rights_to_create(rep, outsider, marketing):
    counterparty = make_counterparty(rep)
    for person in (marketing, outsider):
        with pytest.raises(PermissionDenied):
            make_deal(person, counterparty=counterparty)


def test_a_changed_worth_writes_the_ledger(rep):
    deal = make_deal(rep, amount=Decimal(100), close_date=TODAY())
    later = TODAY() + timedelta(days=10)
    found, stop = heard(deal_changed)
    fields = edit_deal(
        deal=deal, values={"amount": Decimal(200), "close_date": later, "name": "New"}, version=1, by=rep
    )
    stop()
    assert sorted(fields) == ["amount", "close_date", "name"]
    assert ledger(deal)[1:] == [
        ("amount", Decimal("200.00"), later, "rep"),
        ("close_date", Decimal("200.00"), later, "rep"),
    ]
    assert (deal.close_date_slips, deal.version) == (1, 2)
    assert found[0]["fields"] == fields
    edit_deal(deal=deal, values={"close_date": TODAY()}, version=2, by=rep)
    assert deal.close_date_slips == 1


def test_nothing_changed_writes_nothing(rep):
    deal = make_deal(rep, amount=Decimal(100))
    assert (
        edit_deal(deal=deal, values={"amount": Decimal("100.00"), "name": deal.name}, version=1, by=rep) == []
    )
    assert len(ledger(deal)) == 1
    assert not Event.objects.filter(kind="deal_changed").exists()


def test_a_new_owner_takes_the_deal_to_his_department(rep, head, outsider):
    deal = make_deal(rep)
    edit_deal(deal=deal, values={"owner": outsider}, version=1, by=head)
    deal.refresh_from_db()
    assert (deal.owner, deal.department) == (outsider, outsider.department)
    assert ledger(deal)[-1][0::3] == ("owner", "outsider")


def test_others_may_not_edit(rep, teammate):
    deal = make_deal(rep)
    with pytest.raises(PermissionDenied):
        edit_deal(deal=deal, values={"name": "Mine"}, version=1, by=teammate)


def test_the_same_field_changed_twice_is_a_conflict(rep, head):
    deal = make_deal(rep, amount=Decimal(1))
    edit_deal(deal=Deal.objects.get(pk=deal.pk), values={"amount": Decimal(2)}, version=1, by=head)
    edit_deal(deal=Deal.objects.get(pk=deal.pk), values={"name": "Other field"}, version=1, by=rep)
    with pytest.raises(EditConflict):
        edit_deal(deal=Deal.objects.get(pk=deal.pk), values={"amount": Decimal(3)}, version=1, by=rep)
    assert Deal.objects.get(pk=deal.pk).amount == Decimal(2)


def test_stage_and_status_cannot_be_edited(rep):
    deal = make_deal(rep)
    with pytest.raises(ValueError):
        edit_deal(deal=deal, values={"stage": make_stage("needs")}, version=1, by=rep)
    deal.stage = make_stage("needs")
    with pytest.raises(StageWriteError):
        deal.save()
    with pytest.raises(StageWriteError):
        Deal.objects.filter(pk=deal.pk).update(status="won")
    fresh = Deal.objects.get(pk=deal.pk)
    fresh.status = "won"
    with pytest.raises(StageWriteError):
        fresh.save(update_fields=["status"])


def test_the_ledger_is_append_only(rep):
    row = StageTransition.objects.get(deal=make_deal(rep))
    with pytest.raises(LedgerError):
        row.save()
    with pytest.raises(LedgerError):
        row.delete()
    with pytest.raises(LedgerError):
        StageTransition.objects.filter(pk=row.pk).update(amount=1)
    with pytest.raises(LedgerError):
        StageTransition.objects.all().delete()


def test_contacts_are_replaced_and_roles_kept(rep):
    deal = make_deal(rep)
    first, second = make_contact(rep, first_name="A"), make_contact(rep, first_name="B")
    set_contacts(deal=deal, contacts=[first], by=rep)
    DealContact.objects.update(role="buyer")
    assert set_contacts(deal=deal, contacts=[first, second], by=rep) is True
    assert set_contacts(deal=deal, contacts=[second, first], by=rep) is False
    assert list(DealContact.objects.values_list("contact__first_name", "role")) == [("A", "buyer"), ("B", "")]


def test_a_file_lands_on_the_card(rep, teammate):
    deal = make_deal(rep)
    found, stop = heard(deal_file_attached)
    stored = attach_to_deal(deal=deal, upload=SimpleUploadedFile("offer.pdf", b"%PDF"), label="offer", by=rep)
    stop()
    assert StoredFile.objects.get(record_kind="deals.deal", record_id=deal.pk) == stored
    assert [payload["file"] for payload in found] == [stored]
    assert Event.objects.get(kind="deal_file_attached").payload == {"file": "offer.pdf", "label": "offer"}
    with pytest.raises(PermissionDenied):
        attach_to_deal(deal=deal, upload=SimpleUploadedFile("x.pdf", b"x"), by=teammate)
    with pytest.raises(ValidationError):
        attach_to_deal(deal=deal, upload=SimpleUploadedFile("x.exe", b"x"), by=rep)


def test_facts_for_processes(rep):
    deal = make_deal(rep, amount=Decimal("10.50"), close_date=TODAY(), attributes={"source_note": "fair"})
    facts = deal_facts(Deal.objects.get(pk=deal.pk))
    names = ("amount", "stage", "status", "owner", "close_date", "source_note", "counterparty")
    assert {key: facts[key] for key in names} == {
        "amount": Decimal("10.50"), "stage": "qualification", "status": "active", "owner": "rep",
        "close_date": TODAY().isoformat(), "source_note": "fair", "counterparty": "Łódź Sp. z o.o.",
    }  # fmt: skip
