"""Search finds by fragments, blind to accents, and never shows what the reader may not see."""

import pytest
from django.utils import timezone

from collab.calendar.services import complete_activity, log_activity, plan_activity
from crm.people.models import FieldRule, User
from crm.web.searching import SHOWN, find
from deals.services import request_stage
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal


def texts(user, query):
    return [hit.text for group in find(user, query) for hit in group.hits]


@pytest.mark.parametrize("query", ["lodz", "ŁÓDŹ", "Łódź", "odz sp", "zo o lodz"])
def test_fragments_without_accents(rep, query):
    make_counterparty(rep, name="Łódź Sp. zo o.")
    assert texts(rep, query) == ["Łódź Sp. zo o."]


@pytest.mark.parametrize("query", ["22 123 45", "22-123-45-67", "(22) 123 45 67", "2212345"])
def test_a_phone_number_however_it_is_grouped(rep, query):
    make_counterparty(rep, name="With a phone", phone="+48221234567")
    assert texts(rep, query) == ["With a phone"]


@pytest.mark.parametrize("query", ["", "   ", "%", "_", "'; drop table", "\x00", "x" * 300])
def test_nonsense_finds_nothing(signed_in, rep, query):
    make_counterparty(rep, name="Anything")
    assert signed_in(rep).get("/search/", {"q": query}).status_code == 200
    assert texts(rep, query) == []


def test_an_outsider_finds_nothing(rep, outsider):
    make_counterparty(rep, name="Canary Ltd")
    assert texts(outsider, "canary") == []


def test_one_hit_opens_at_once(signed_in, rep):
    record = make_counterparty(rep, name="Only one")
    answer = signed_in(rep).get("/search/", {"q": "only one"})
    assert (answer.status_code, answer["Location"]) == (302, f"/counterparties/{record.pk}/")


def test_kinds_stand_apart_and_say_when_there_is_more(signed_in, rep):
    for number in range(SHOWN + 1):
        make_counterparty(rep, name=f"Żuraw {number}")
    make_contact(rep, last_name="Żurawski")
    groups = {group.kind.label: group for group in find(rep, "zuraw")}
    assert {label: (len(group.hits), group.more) for label, group in groups.items()} == {
        "counterparties.counterparty": (SHOWN, True),
        "counterparties.contact": (1, False),
    }
    page = signed_in(rep).get("/search/", {"q": "zuraw"}).content.decode()
    assert (
        page.count('href="/counterparties/?q=zuraw"'),
        page.count('href="/counterparties/contacts/?q=zuraw"'),
    ) == (1, 1)


def test_search_costs_the_same_for_one_and_many(rep, django_assert_max_num_queries):
    for number in range(20):
        make_counterparty(rep, name=f"Same {number}")
    with django_assert_max_num_queries(12):
        find(rep, "same")


def test_hits_while_typing_are_a_fragment_of_visible_records(signed_in, rep, outsider):
    record = make_counterparty(rep, name="Łódź <b>Sp. z o.o.", city="Zgierz")
    page = signed_in(rep).get("/search/palette/", {"q": "lodz"}).content.decode()
    assert f'href="/counterparties/{record.pk}/"' in page
    assert ("<small>Zgierz</small>" in page, "<b>" in page, "<html" in page) == (True, False, False)
    assert len(page) < 15_000
    assert "Sp. z" not in signed_in(outsider).get("/search/palette/", {"q": "lodz"}).content.decode()
    assert signed_in(rep).get("/search/palette/", {"q": " "}).content.decode().strip() == ""


@pytest.mark.parametrize("query", ["5252344078", "525-234-40-78", "PL5252344078", "pl 525 234 40 78"])
def test_a_tax_number_however_it_is_written(rep, query):
    make_counterparty(rep, name="Taxed", tax_number="5252344078")
    assert texts(rep, query) == ["Taxed"]


@pytest.mark.parametrize(
    "query", ["+48 601 234 567", "0048601234567", "601 23 45", "(601) 234-567", "nowak 601"]
)
def test_a_mobile_number_in_any_notation(rep, query):
    make_contact(rep, first_name="Anna", last_name="Nowak", phone="+48601234567")
    assert texts(rep, query) == ["Anna Nowak"]


def test_better_hits_come_first(rep, teammate):
    names = ["Hurtownia Starmet", "Nowy Starmet", "Starmet Serwis", "Starmet"]
    for name in names:
        make_counterparty(rep, name=name)
    make_counterparty(teammate, name="Starmet Biuro")
    make_counterparty(rep, name="Antystar", city="Łódź")
    assert texts(rep, "starmet") == [
        "Starmet",
        "Starmet Serwis",
        "Starmet Biuro",
        "Nowy Starmet",
        "Hurtownia Starmet",
    ]
    assert texts(rep, "star")[-1] == "Antystar"


def test_the_best_kind_comes_first_and_a_number_beats_a_name(rep):
    make_counterparty(rep, name="Firma 601234567-B")
    make_contact(rep, first_name="Anna", last_name="Nowak", phone="+48601234567")
    assert texts(rep, "601 234 567") == ["Anna Nowak", "Firma 601234567-B"]


def test_looked_at_lately_then_open_before_closed(rep):
    won = make_deal(rep, name="Hala A")
    request_stage(deal=won, status="won", by=rep)
    open_one, other = make_deal(rep, name="Hala B"), make_deal(rep, name="Hala C")
    assert texts(rep, "hala") == ["Hala C", "Hala B", "Hala A"]
    recent = [("deals.deal", open_one.pk)]
    assert [hit.text for hit in find(rep, "hala", recent=recent)[0].hits] == ["Hala B", "Hala C", "Hala A"]
    assert other.pk > open_one.pk


def test_a_deal_by_its_number_and_by_its_counterparty(rep):
    deal = make_deal(rep, name="Serwis")
    assert texts(rep, deal.number) == ["Serwis"]
    assert "Serwis" in texts(rep, deal.counterparty.name)


def test_what_was_looked_at_lately_is_shown_with_todays_rights(signed_in, rep, outsider):
    first, second = make_counterparty(rep, name="First"), make_contact(rep, last_name="Second")
    address = "/search/palette/"
    recent = (
        f"counterparties.contact:{second.pk},counterparties.counterparty:{first.pk},nonsense,no.kind:1,x:2"
    )
    page = signed_in(rep).get(address, {"recent": recent}).content.decode()
    assert page.index("Second") < page.index("First")
    assert 'role="option"' not in signed_in(outsider).get(address, {"recent": recent}).content.decode()


def test_a_hidden_number_finds_nothing_but_the_folded_name_does(rep):
    make_counterparty(rep, name="Łódzka Huta 7", phone="+48221234567", tax_number="5252344078")
    role = rep.roles.first()
    FieldRule.objects.create(role=role, kind="counterparties.counterparty", field="phone", level="hidden")
    reader = User.objects.get(pk=rep.pk)
    assert [texts(reader, query) for query in ("22 123 45 67", "lodzka huta 7 525", "5252344078")] == [
        [],
        [],
        [],
    ]
    assert [texts(reader, query) for query in ("lodzka", "ŁÓDZ", "huta 7", "dzka h")] == [
        ["Łódzka Huta 7"]
    ] * 4
    assert "22 123" not in str([hit.summary for group in find(reader, "lodzka") for hit in group.hits])


def test_one_letter_finds_beginnings_of_words(rep):
    make_counterparty(rep, name="Żaba")
    make_counterparty(rep, name="Baza")
    assert texts(rep, "ż") == ["Żaba"]


def test_the_palette_costs_at_most_ten_queries(signed_in, rep, django_assert_max_num_queries):
    for number in range(20):
        make_contact(rep, last_name=f"Same {number}")
    deal = make_deal(rep, name="Same")
    client = signed_in(rep)
    with django_assert_max_num_queries(10):
        client.get("/search/palette/", {"q": "same", "recent": f"deals.deal:{deal.pk}"})


def test_activities_are_found_by_what_was_planned_and_said(signed_in, rep, outsider):
    deal = make_deal(rep, name="Maszyny")
    activity = log_activity(
        kind="call", subject="Telefon o dźwigach", result="Chcą żurawia", by=rep, deal=deal
    )
    assert [texts(rep, query) for query in ("dzwig", "zuraw")] == [[activity.subject]] * 2
    assert texts(outsider, "dzwig") == []
    page = signed_in(rep).get("/search/", {"q": "telefon o"})
    assert page["Location"] == f"/calendar/activities/{activity.pk}/"


def test_what_came_of_an_activity_is_found_once_it_is_done(rep):
    deal = make_deal(rep)
    activity = plan_activity(kind="call", subject="Oddzwonić", starts_at=timezone.now(), by=rep, deal=deal)
    complete_activity(activity=activity, result="Zgodzili się na rabat", by=rep)
    assert texts(rep, "rabat") == ["Oddzwonić"]


def test_a_private_activity_is_found_by_its_people_alone(rep, head, admin_user):
    plan_activity(kind="call", subject="Canary call", starts_at=timezone.now(), is_private=True, by=rep)
    assert (texts(rep, "canary"), texts(head, "canary"), texts(admin_user, "canary")) == (
        ["Canary call"],
        [],
        [],
    )
