"""Taking a conversion back: the state before, except for what somebody has worked on since."""

import pytest
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from collab.calendar.services import log_activity
from counterparties.models import Contact, ContactLink, Counterparty
from crm.files.models import StoredFile
from crm.files.services import files_of, store_file
from crm.history.cards import card_history
from crm.history.notes import add_comment
from deals.models import Deal
from leads.conversion_undo import undo_conversion
from leads.models import Lead, LeadStatus
from leads.services import LeadNotOpen, convert_lead
from tests.factories.counterparties import make_contact, make_counterparty, make_type
from tests.factories.deals import make_deal_type
from tests.factories.leads import make_lead

FIELDS = [
    "status",
    "converted_at",
    "counterparty_id",
    "contact_id",
    "deal_id",
    "first_response_at",
    "response_minutes",
]


@pytest.fixture
def lead(rep):
    make_deal_type()
    return make_lead(rep, phone="601 234 567")


def convert(lead, by, **values):
    return convert_lead(
        lead=lead, by=by, counterparty_type=make_type(), contact_values={"first_name": "Ewa", "last_name": "Nowak"},
        deal_values={"name": "Furnace"}, **values,
    )  # fmt: skip


def state(lead) -> dict:
    return Lead.objects.values(*FIELDS).get(pk=lead.pk)


def standing() -> tuple[int, int, int]:
    return tuple(model.objects.filter(deleted_at=None).count() for model in (Counterparty, Contact, Deal))


def kinds_on(user, record) -> list[str]:
    return [line.event.kind for line in card_history(user=user, record=record).lines]


def test_everything_is_as_before(rep, lead):
    before = state(lead), standing()
    made = convert(lead, rep)
    done = undo_conversion(lead=lead, by=rep)
    assert (state(lead), standing()) == before
    assert done.removed == [made.deal, made.contact, made.counterparty]
    assert kinds_on(rep, lead)[:2] == ["lead_conversion_undone", "lead_converted"]


def test_a_lead_in_work_is_in_work_again_with_its_activities_alone(rep, lead):
    call = log_activity(kind="call", subject="Call", result="ok", by=rep, lead=lead)
    convert(lead, rep)
    call.refresh_from_db()
    assert call.deal is not None
    undo_conversion(lead=lead, by=rep)
    call.refresh_from_db()
    lead.refresh_from_db()
    assert (call.lead, call.deal, call.counterparty, call.contact) == (lead, None, None, None)
    assert lead.status == LeadStatus.IN_WORK


def test_records_that_were_there_stay_without_the_leads_history(rep, lead):
    client, person = make_counterparty(rep), make_contact(rep)
    add_comment(record=lead, text="Likes steel", by=rep)
    convert_lead(lead=lead, by=rep, counterparty=client, contact=person)
    assert "comment_added" in kinds_on(rep, client)
    done = undo_conversion(lead=lead, by=rep)
    assert (done.removed, done.kept) == ([], [person, client])
    assert "comment_added" not in kinds_on(rep, client)
    assert not ContactLink.objects.filter(contact=person, counterparty=client).exists()


def test_what_was_worked_on_stays(rep, lead):
    made = convert(lead, rep)
    add_comment(record=made.deal, text="Agreed on Monday", by=rep)
    done = undo_conversion(lead=lead, by=rep)
    assert made.deal in done.kept
    assert standing() == (1, 0, 1)
    assert lead.status == LeadStatus.NEW


def test_files_go_along_and_come_back(rep, lead):
    store_file(upload=SimpleUploadedFile("oferta.pdf", b"%PDF"), by=rep, record=lead)
    made = convert(lead, rep)
    copy = files_of(made.deal).get()
    assert (copy.name, copy.content.read()) == ("oferta.pdf", b"%PDF")
    undo_conversion(lead=lead, by=rep)
    assert [stored.record_kind for stored in StoredFile.objects.all()] == ["leads.lead"]


def test_it_can_be_converted_again(rep, lead):
    convert(lead, rep)
    undo_conversion(lead=lead, by=rep)
    assert convert(lead, rep).is_new
    assert standing() == (1, 1, 1)


def test_only_what_is_converted_is_undone_and_only_by_who_may_convert(rep, outsider, marketing, lead):
    with pytest.raises(LeadNotOpen):
        undo_conversion(lead=lead, by=rep)
    convert(lead, rep)
    for person in (outsider, marketing):
        with pytest.raises(PermissionDenied):
            undo_conversion(lead=lead, by=person)
    assert state(lead)["status"] == LeadStatus.QUALIFIED


def test_the_page_tells_what_will_happen_and_does_it(rep, outsider, marketing, lead, signed_in):
    url = reverse("leads:lead_conversion_undo", args=[lead.pk])
    card = reverse("leads:lead_detail", args=[lead.pk])
    assert signed_in(rep).get(url)["Location"] == card
    made = convert(lead, rep)
    assert url in signed_in(rep).get(card).text
    assert made.deal.name in signed_in(rep).get(url).text
    assert signed_in(outsider).post(url).status_code == 404
    assert signed_in(marketing).post(url).status_code == 403
    assert signed_in(rep).put(url).status_code == 405
    assert signed_in(rep).post(url)["Location"] == card
    assert state(lead)["status"] == LeadStatus.NEW
