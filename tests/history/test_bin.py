"""The recycle bin: what leaves with a record, what comes back, who may, and when it is gone for good."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from collab.calendar.models import Activity
from counterparties.duplicates import duplicate_counterparties
from counterparties.models import Contact, Counterparty
from crm.attributes.models import Attribute, AttributeValue
from crm.history.bin import StillNeeded, delete_record, restore_record
from crm.history.erasing import erase_bin, erase_record
from crm.history.models import Deletion, Event, EventLink
from crm.people.kinds import kind_of
from crm.web.searching import find
from deals.models import Deal, StageRequest, StageTransition
from deals.services import request_stage
from deals.signals import Hold, deal_stage_requested
from leads.models import Lead
from tests.factories.collab import make_activity, make_logged
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal, make_stage
from tests.factories.leads import make_lead

MAKERS = [make_counterparty, make_contact, make_lead, make_deal, make_activity]


def hold(sender, **kwargs):
    return Hold("an offer")


@pytest.fixture
def waiting_deal(rep):
    deal = make_deal(rep)
    deal_stage_requested.connect(hold)
    try:
        request_stage(deal=deal, stage=make_stage("needs"), by=rep)
    finally:
        deal_stage_requested.disconnect(hold)
    return deal


@pytest.mark.parametrize("make", MAKERS)
def test_each_kind_is_deleted_and_restored_by_its_pages(make, rep, signed_in):
    record, client = make(rep), signed_in(rep)
    kind = kind_of(record)
    url = reverse("history:record_deletion", args=[kind.label, record.pk])
    card = kind.url(record.pk)
    assert url in client.get(card).content.decode()
    assert client.get(url).status_code == 200
    client.post(url)
    assert client.get(card).status_code == 404
    deletion = Deletion.objects.get(record_id=record.pk, kind=kind.label)
    assert deletion.title in client.get(reverse("history:bin")).content.decode()
    answer = client.post(reverse("history:deletion_restoration", args=[deletion.pk]))
    assert (answer.status_code, answer["Location"]) == (302, card)
    assert client.get(card).status_code == 200
    assert not Deletion.objects.exists()
    kinds = Event.objects.filter(subject_kind=kind.label, subject_id=record.pk).order_by("pk")
    assert list(kinds.values_list("kind", flat=True))[-2:] == ["record_deleted", "record_restored"]


def test_a_deleted_record_is_nowhere(rep, signed_in):
    company = make_counterparty(rep, name="Znikający Wiatr", tax_number="5260250274")
    values = {"name": "Znikający Wiatr", "tax_number": "5260250274"}
    assert len(duplicate_counterparties(rep, values)) == 1
    delete_record(record=company, by=rep)
    assert duplicate_counterparties(rep, values) == []
    assert find(rep, "znikajacy") == []
    client = signed_in(rep)
    for name in ("counterparty_list", "counterparty_options"):
        answer = client.get(reverse(f"counterparties:{name}"), {"q": "Znika"})
        assert "Znikający Wiatr" not in answer.content.decode()


def test_a_deleted_deal_leaves_board_and_withdraws_what_it_waited_for(waiting_deal, rep, signed_in):
    board = signed_in(rep).get(reverse("deals:deal_board"))
    assert waiting_deal.name in board.content.decode()
    asked = reverse("history:record_deletion", args=["deals.deal", waiting_deal.pk])
    assert "waits for a decision is withdrawn" in signed_in(rep).get(asked).content.decode()
    delete_record(record=waiting_deal, by=rep)
    assert StageRequest.objects.get().status == "withdrawn"
    assert waiting_deal.name not in signed_in(rep).get(reverse("deals:deal_board")).content.decode()


def test_a_counterparty_with_open_deals_stays_unless_they_may_go_too(rep, signed_in):
    company = make_counterparty(rep)
    deal = make_deal(rep, counterparty=company)
    with pytest.raises(StillNeeded):
        delete_record(record=company, by=rep)
    assert Counterparty.objects.get().deleted_at is None
    client = signed_in(rep)
    url = reverse("history:record_deletion", args=["counterparties.counterparty", company.pk])
    assert deal.name in client.get(url).content.decode()
    assert client.post(url).status_code == 422
    client.post(url, {"with_attached": "1"})
    assert not Deal.objects.visible_to(rep).exists()
    top = Deletion.objects.get(along_with=None)
    assert [row.title for row in top.followers.all()] == [deal.name]
    restore_record(deletion=top, by=rep)
    assert Deal.objects.visible_to(rep).get() == deal


def test_somebody_elses_deal_keeps_the_counterparty(rep, outsider, admin_user):
    company = make_counterparty(rep)
    make_deal(admin_user, counterparty=company, owner=outsider)
    with pytest.raises(StillNeeded, match="Other people"):
        delete_record(record=company, by=rep, with_attached=True)


def test_closed_deals_keep_the_name_of_a_deleted_counterparty(rep, signed_in):
    deal = make_deal(rep)
    request_stage(deal=deal, status="won", by=rep)
    delete_record(record=deal.counterparty, by=rep)
    shown = signed_in(rep).get(reverse("deals:deal_detail", args=[deal.pk])).content.decode()
    assert deal.counterparty.name in shown
    assert reverse("counterparties:counterparty_detail", args=[deal.counterparty_id]) not in shown


def test_planned_activities_go_along_and_done_ones_stay_with_their_owner(rep):
    deal = make_deal(rep)
    planned, done = make_activity(rep, deal=deal), make_logged(rep, deal=deal)
    deletion = delete_record(record=deal, by=rep)
    assert list(Activity.objects.visible_to(rep)) == [done]
    restore_record(deletion=deletion, by=rep)
    assert set(Activity.objects.visible_to(rep)) == {planned, done}


def test_a_deal_does_not_come_back_to_a_deleted_counterparty(rep):
    deal = make_deal(rep)
    deletion = delete_record(record=deal, by=rep)
    delete_record(record=deal.counterparty, by=rep)
    with pytest.raises(ValidationError, match="counterparty is deleted"):
        restore_record(deletion=deletion, by=rep)
    assert Deal.objects.get().deleted_at is not None


def test_a_unique_value_is_free_in_the_bin_and_refuses_the_return_when_taken(rep):
    first = make_counterparty(rep)
    schema = first.counterparty_type.attribute_set
    Attribute.objects.create(attribute_set=schema, key="unique_krs", name="KRS", unique=True)
    first = make_counterparty(rep, attributes={"unique_krs": "1"})
    deletion = delete_record(record=first, by=rep)
    assert not AttributeValue.objects.exists()
    make_counterparty(rep, attributes={"unique_krs": "1"})
    with pytest.raises(ValidationError):
        restore_record(deletion=deletion, by=rep)
    assert Deletion.objects.count() == 1


@pytest.mark.parametrize("make", MAKERS)
def test_who_may_not_delete_neither_deletes_nor_sees_the_bin(make, rep, outsider, marketing, signed_in):
    record = make(rep)
    label = kind_of(record).label
    url = reverse("history:record_deletion", args=[label, record.pk])
    assert signed_in(outsider).post(url).status_code == 404
    assert signed_in(marketing).post(url).status_code in {403, 404}
    with pytest.raises(PermissionDenied):
        delete_record(record=record, by=outsider)
    deletion = delete_record(record=record, by=rep)
    for user in (outsider, marketing):
        client = signed_in(user)
        assert deletion.title not in client.get(reverse("history:bin")).content.decode()
        restoration = reverse("history:deletion_restoration", args=[deletion.pk])
        assert client.post(restoration).status_code == 404
        with pytest.raises(PermissionDenied):
            restore_record(deletion=deletion, by=user)


def test_the_bin_is_filtered_by_kind_and_person(rep, head, signed_in):
    delete_record(record=make_lead(rep, company="Lead of rep"), by=rep)
    delete_record(record=make_contact(rep, last_name="Contact"), by=head)
    client, url = signed_in(head), reverse("history:bin")

    def shown(**filters):
        text = client.get(url, filters).content.decode()
        return [name for name in ("Lead of rep", "Jan Contact") if name in text]

    assert shown() == ["Lead of rep", "Jan Contact"]
    assert shown(kind="leads.lead") == ["Lead of rep"]
    assert shown(by=head.pk) == ["Jan Contact"]
    assert shown(kind="x", by="x", before="x") == ["Lead of rep", "Jan Contact"]


def test_the_bin_asks_the_same_number_of_queries_for_1_and_20(rep, signed_in, django_assert_max_num_queries):
    client, url = signed_in(rep), reverse("history:bin")
    delete_record(record=make_lead(rep), by=rep)
    client.get(url)
    with django_assert_max_num_queries(30) as one:
        client.get(url)
    for _number in range(19):
        delete_record(record=make_lead(rep), by=rep)
    with django_assert_max_num_queries(len(one)):
        client.get(url)


def old(deletion):
    Deletion.objects.filter(pk=deletion.pk).update(deleted_at=timezone.now() - timedelta(days=31))
    Deletion.objects.filter(along_with=deletion).update(deleted_at=timezone.now() - timedelta(days=31))


def test_administrators_erase_after_a_month(waiting_deal, rep, admin_user, signed_in, run_jobs):
    company = waiting_deal.counterparty
    make_logged(rep, deal=waiting_deal)
    first = delete_record(record=waiting_deal, by=rep)
    fresh = delete_record(record=make_lead(rep), by=rep)
    old(first)
    with pytest.raises(PermissionDenied):
        erase_bin(by=rep)
    with pytest.raises(PermissionDenied):
        erase_record(deletion=fresh, by=admin_user)
    client, url = signed_in(admin_user), reverse("history:bin_erasure")
    assert "1 record has been" in client.get(url).content.decode()
    assert client.post(url).status_code == 302
    run_jobs()
    assert not Deal._base_manager.exists()
    assert not StageTransition.objects.exists()
    assert not Event.objects.filter(subject_kind="deals.deal").exists()
    assert not EventLink.objects.filter(kind="deals.deal").exists()
    assert list(Deletion.objects.all()) == [fresh]
    assert Counterparty.objects.get() == company
    assert Activity.objects.get().deal is None


def test_what_others_refer_to_is_kept(rep, admin_user):
    deal = make_deal(rep)
    request_stage(deal=deal, status="won", by=rep)
    deletion = delete_record(record=deal.counterparty, by=rep)
    old(deletion)
    assert erase_record(deletion=deletion, by=admin_user) is False
    deletion.refresh_from_db()
    assert deletion.kept == "Other records still refer to it."
    assert Event.objects.filter(subject_kind="counterparties.counterparty").exists()


@pytest.mark.parametrize("make", [make_counterparty, make_contact, make_lead, make_activity])
def test_every_kind_can_be_erased(make, rep, admin_user):
    record = make(rep)
    deletion = delete_record(record=record, by=rep)
    old(deletion)
    assert erase_record(deletion=deletion, by=admin_user) is True
    assert not type(record)._base_manager.filter(pk=record.pk).exists()


def test_deleting_twice_writes_one_row(rep):
    lead = make_lead(rep)
    delete_record(record=lead, by=rep)
    with pytest.raises(PermissionDenied):
        delete_record(record=Lead._base_manager.get(), by=rep)
    assert Deletion.objects.count() == 1
    assert not Contact.objects.exists()
