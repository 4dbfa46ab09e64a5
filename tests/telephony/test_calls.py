"""What people see of calls, and do with them."""

import pytest
from django.http import QueryDict
from django.urls import reverse

from crm.history.cards import card_history
from crm.notify.models import LiveRow
from crm.people.models import FieldRule, User
from leads.services import create_lead
from telephony import services
from telephony.adapters.base import CannotCall
from telephony.adapters.simulator import PLAY, SimulatorAdapter
from telephony.lists import CallList
from telephony.live import on_screen
from telephony.models import Call, Extension
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.telephony import KNOWN, make_connection, play_flow

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def connection(admin_user, rep, teammate):
    return make_connection(admin_user, [rep, teammate])


@pytest.fixture
def now():
    """Calls on the screen are of now."""
    from datetime import timedelta

    from django.utils import timezone

    return timezone.now() - timedelta(seconds=70)


def numbers(user) -> list[str]:
    return [one.call.number for one in on_screen(user)]


# On the screen


def test_a_ringing_call_stands_on_the_screens_of_those_at_whose_phones_it_rings(
    connection, rep, teammate, outsider, now
):
    play_flow(connection, "ring_group", until=3, start=now)
    assert [numbers(user) for user in (rep, teammate, outsider)] == [[KNOWN], [KNOWN], []]
    assert set(LiveRow.objects.filter(kind="telephony.popup").values_list("user__username", flat=True)) == {
        "rep", "teammate"
    }  # fmt: skip


def test_it_vanishes_elsewhere_when_a_colleague_answers(connection, rep, teammate, now):
    play_flow(connection, "ring_group", until=3, start=now)
    LiveRow.objects.all().delete()
    play_flow(connection, "ring_group", until=7, start=now)
    assert [numbers(user) for user in (rep, teammate)] == [[], [KNOWN]]
    assert LiveRow.objects.filter(kind="telephony.popup", user=rep).exists()


def test_after_a_transfer_it_stands_with_the_second_one(connection, rep, teammate, now):
    play_flow(connection, "blind_transfer", until=36, start=now)
    assert [numbers(user) for user in (rep, teammate)] == [[], [KNOWN]]


def test_whoever_spoke_keeps_it_until_he_puts_it_away(connection, rep, teammate, now, signed_in):
    call = play_flow(connection, "incoming_answered", start=now)
    client = signed_in(rep)
    url = reverse("telephony:call_wrap_up", args=[call.pk])
    assert numbers(rep) == [KNOWN]
    assert (
        client.post(url, {"note": "Asks for an offer", "outcome": "interested"}, headers=HTMX).status_code
        == 204
    )
    call.refresh_from_db()
    assert (numbers(rep), call.note, call.outcome) == ([], "Asks for an offer", "interested")


def test_a_missed_call_leaves_the_screen(connection, rep, now):
    play_flow(connection, "incoming_missed", start=now)
    assert numbers(rep) == []


def test_internal_and_ignored_calls_never_show(connection, rep, now):
    play_flow(connection, "internal", until=3, start=now)
    connection.ignored = KNOWN
    connection.save()
    play_flow(connection, "incoming_answered", call="c-2", until=3, start=now)
    assert numbers(rep) == []


def live(client) -> str:
    return client.get(reverse("telephony:live"), headers=HTMX).content.decode()


def test_the_card_names_the_one_who_calls(connection, rep, now, signed_in):
    make_contact(rep, first_name="Jan", last_name="Łukasik", phone=KNOWN)
    play_flow(connection, "incoming_answered", until=3, start=now)
    text = live(signed_in(rep))
    assert "Jan Łukasik" in text
    assert "Nobody has this number" not in text


def test_of_several_one_is_chosen_and_remembered(connection, rep, now, signed_in):
    first = make_contact(rep, last_name="Pierwszy", phone=KNOWN)
    second = make_contact(rep, last_name="Drugi", phone=KNOWN)
    call = play_flow(connection, "incoming_answered", until=3, start=now)
    client = signed_in(rep)
    text = live(client)
    assert "Pierwszy" in text
    assert "Drugi" in text
    answer = client.post(
        reverse("telephony:call_choice", args=[call.pk]), {"card": f"contact:{first.pk}"}, headers=HTMX
    )
    call.refresh_from_db()
    assert (answer.status_code, call.contact) == (204, first)
    assert play_flow(connection, "incoming_answered", call="c-2", start=now).contact == first
    assert second.calls.count() == 0


def test_an_unknown_number_offers_what_can_be_made_of_it(connection, rep, now, signed_in):
    play_flow(connection, "incoming_answered", until=3, start=now)
    text = live(signed_in(rep))
    assert "Nobody has this number" in text
    assert f"{reverse('leads:lead_create')}?phone=%2B48601234567" in text


def test_of_a_record_one_does_not_see_only_its_owner_is_told(connection, rep, outsider, now, signed_in):
    make_contact(outsider, last_name="Tajemniczy", phone=KNOWN)
    play_flow(connection, "incoming_answered", until=3, start=now)
    text = live(signed_in(rep))
    assert "Tajemniczy" not in text
    assert str(outsider) in text
    assert "Attach to a record" not in text


# Cards


def test_a_record_that_gets_the_number_gets_its_calls(connection, rep):
    call = play_flow(connection, "incoming_answered")
    lead = create_lead(values={"company": "Nowa", "phone": "601 234 567"}, by=rep)
    call.refresh_from_db()
    assert call.lead == lead
    [line] = [line for line in card_history(user=rep, record=lead).lines if line.event.kind == "phone_in"]
    assert line.sentence == "the client called 601 234 567, talked for 1:00"


def test_attaching_saves_the_number(connection, rep, signed_in):
    contact = make_contact(rep, phone="+48600000000")
    call = play_flow(connection, "incoming_answered")
    url = reverse("telephony:call_cards", args=[call.pk])
    answer = signed_in(rep).post(url, {"contact": contact.pk, "save_number": "on"}, headers=HTMX)
    call.refresh_from_db()
    contact.refresh_from_db()
    assert (answer.status_code, call.contact, contact.phone) == (204, contact, "+48600000000")
    assert [row["number"] for row in contact.phones] == ["+48600000000", KNOWN]


def test_attaching_to_nothing_or_to_what_one_does_not_see_is_refused(connection, rep, outsider, signed_in):
    hidden = make_contact(outsider)
    call = play_flow(connection, "incoming_answered")
    client = signed_in(rep)
    url = reverse("telephony:call_cards", args=[call.pk])
    for data in ({}, {"contact": hidden.pk}):
        assert client.post(url, data, headers=HTMX).status_code == 422
    assert client.post(
        reverse("telephony:call_choice", args=[call.pk]), {"card": f"contact:{hidden.pk}"}
    ).status_code == 404  # fmt: skip
    call.refresh_from_db()
    assert call.card_keys() == []


def test_a_call_moves_with_its_history(connection, rep):
    one, other = make_contact(rep, phone=KNOWN), make_contact(rep, last_name="Inny")
    call = play_flow(connection, "incoming_answered")
    services.attach_call(call=call, cards={"contact": other}, by=rep)

    def told(record):
        return [
            line.event.kind
            for line in card_history(user=rep, record=record).lines
            if "phone" in line.event.kind
        ]

    assert (told(one), told(other)) == ([], ["phone_in"])


def test_a_late_answer_corrects_the_history(connection, rep):
    contact = make_contact(rep, phone=KNOWN)
    play_flow(connection, "end_alone")
    play_flow(connection, "incoming_answered")
    kinds = [line.event.kind for line in card_history(user=rep, record=contact).lines]
    assert "phone_in" in kinds
    assert "phone_missed" not in kinds


# Notes


def test_notes_are_saved_as_they_are_typed(connection, rep, signed_in, now):
    contact = make_contact(rep, phone=KNOWN)
    call = play_flow(connection, "incoming_answered", until=20, start=now)
    url = reverse("telephony:call_note", args=[call.pk])
    for text in ("Asks", "Asks for an offer"):
        assert signed_in(rep).post(url, {"note": text, "quiet": "1"}, headers=HTMX).status_code == 204
    play_flow(connection, "incoming_answered", start=now)
    [line] = [one for one in card_history(user=rep, record=contact).lines if one.event.kind == "phone_in"]
    assert line.note == "Asks for an offer"


@pytest.mark.parametrize("data", [{"outcome": "great"}, {"note": "x" * 10_001}])
def test_a_note_that_makes_no_sense_is_refused(connection, rep, signed_in, data):
    call = play_flow(connection, "incoming_answered")
    assert signed_in(rep).post(reverse("telephony:call_note", args=[call.pk]), data).status_code == 422


# Calling


def call_out(client, **data):
    return client.post(reverse("telephony:call_create"), {"number": KNOWN, **data}, headers=HTMX)


def test_a_click_rings_and_the_call_is_one_row(connection, rep, signed_in, run_jobs):
    contact = make_contact(rep, phone=KNOWN)
    deal = make_deal(rep)
    page = reverse("deals:deal_detail", args=[deal.pk])
    assert call_out(signed_in(rep), page=page).status_code == 204
    assert numbers(rep) == [KNOWN]
    from crm.jobs.models import Job

    run_jobs()
    assert Job.objects.filter(kind=PLAY).exists()
    call = Call.objects.get()
    assert (call.direction, call.owner, call.asked_by, call.deal) == ("out", rep, rep, deal)
    assert call.counterparty == deal.counterparty
    assert contact.pk


@pytest.mark.parametrize("number", ["", "112", "abc", "+48601234567\r\nX: y", "9" * 60])
def test_what_is_no_number_is_not_called(connection, rep, signed_in, number):
    answer = call_out(signed_in(rep), number=number)
    assert answer.status_code == 422 or Call.objects.get().number == KNOWN


def test_without_a_phone_nobody_is_called(connection, head, signed_in):
    answer = call_out(signed_in(head))
    assert answer.status_code == 422
    assert "You have no phone connected" in answer.content.decode()
    assert not Call.objects.exists()


def test_whoever_does_not_want_to_be_called_is_not(connection, rep, signed_in):
    from counterparties.consents import record_consent

    contact = make_contact(rep, phone=KNOWN)
    record_consent(contact=contact, channel="phone", state="refused", source="By phone", by=rep)
    answer = call_out(signed_in(rep))
    assert answer.status_code == 422
    assert "does not want to be called" in answer.content.decode()


def test_a_double_click_calls_once(connection, rep, signed_in):
    client = signed_in(rep)
    assert [call_out(client).status_code for _ in range(2)] == [204, 422]
    assert Call.objects.count() == 1


def test_what_the_exchange_refuses_is_said(connection, rep, signed_in, run_jobs, monkeypatch):
    def refuse(self, call):
        raise CannotCall("The phone 101 is not registered.")

    monkeypatch.setattr(SimulatorAdapter, "originate", refuse)
    client = signed_in(rep)
    call_out(client)
    run_jobs()
    call = Call.objects.get()
    assert (call.state, call.result, call.failure) == ("ended", "failed", "The phone 101 is not registered.")
    assert "The phone 101 is not registered." in live(client)


# Pages


def test_pages_of_a_call_are_its_peoples(connection, rep, teammate, outsider, head, signed_in):
    call = play_flow(connection, "incoming_answered")
    url = reverse("telephony:call_detail", args=[call.pk])
    assert [signed_in(user).get(url).status_code for user in (rep, head, outsider)] == [200, 200, 404]


def test_the_list_costs_the_same_for_one_and_for_many(
    connection, rep, signed_in, django_assert_max_num_queries
):
    make_contact(rep, phone=KNOWN, counterparty=make_counterparty(rep))
    for turn in range(12):
        play_flow(connection, "incoming_answered", call=f"c-{turn}")
    client = signed_in(rep)
    client.get(reverse("telephony:call_list"))
    with django_assert_max_num_queries(10):
        answer = client.get(reverse("telephony:call_list"))
    assert answer.content.decode().count("601 234 567") == 12


def test_panels_show_the_calls_of_their_card(connection, rep, signed_in):
    contact = make_contact(rep, phone=KNOWN)
    play_flow(connection, "incoming_answered")
    answer = signed_in(rep).get(reverse("telephony:contact_calls", args=[contact.pk]), headers=HTMX)
    assert "601 234 567" in answer.content.decode()


def test_whoever_has_a_phone_is_told_so(connection, rep, head, signed_in):
    assert 'data-phone="yes"' in live(signed_in(rep))
    assert 'data-phone="no"' in live(signed_in(head))
    Extension.objects.create(connection=connection, number="109", user=head)
    assert 'data-phone="yes"' in live(signed_in(head))


# Numbers that a role hides


def test_a_role_that_hides_phones_hides_the_numbers_of_calls_everywhere(
    connection, rep, signed_in, now, run_jobs
):
    contact = make_contact(rep, phone=KNOWN)
    call = play_flow(connection, "incoming_answered", start=now)
    FieldRule.objects.create(
        role=rep.roles.get(), kind="counterparties.contact", field="phone", level="hidden"
    )
    reader = User.objects.get(pk=rep.pk)
    client = signed_in(reader)
    pages = [
        reverse("telephony:call_list"), f"{reverse('telephony:call_list')}?tab=in&columns=number,note",
        f"{reverse('telephony:call_list')}?tab=in&f=number:has:601", reverse("telephony:call_detail", args=[call.pk]),
        reverse("telephony:live"), reverse("telephony:contact_calls", args=[contact.pk]),
        reverse("history:card_history", args=["counterparties.contact", contact.pk]),
        reverse("history:card_history", args=["telephony.call", call.pk]), f"{reverse('web:search')}?q=601234567",
    ]  # fmt: skip
    told = {url: client.get(url, headers=HTMX if "live" in url else {}) for url in pages}
    written = {url: page.content.decode() for url, page in told.items()}
    assert [page.status_code for page in told.values()] == [200] * len(pages)
    digits = ("601234567", "601 234 567")
    assert [url for url in pages[:8] if any(one in written[url] for one in digits)] == []
    assert "Number hidden" in written[pages[3]] and "•••" in written[pages[6]]
    assert str(contact) not in written[pages[8]]
    export = CallList(reader, QueryDict("tab=in"))
    assert "number" not in [field.key for field in export.fields]
    attach = client.post(
        reverse("telephony:call_note", args=[call.pk]), {"note": "Talked", "outcome": ""}, headers=HTMX
    )
    call.refresh_from_db()
    assert (attach.status_code, call.number, call.note) == (204, KNOWN, "Talked")
