"""Search finds by fragments, blind to accents, and never shows what the reader may not see."""

import pytest

from crm.web.searching import SHOWN, find
from tests.factories.counterparties import make_contact, make_counterparty


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
    assert "There are more" in page


def test_search_costs_the_same_for_one_and_many(rep, django_assert_max_num_queries):
    for number in range(20):
        make_counterparty(rep, name=f"Same {number}")
    with django_assert_max_num_queries(12):
        find(rep, "same")


def test_hits_while_typing_are_a_fragment_of_visible_records(signed_in, rep, outsider):
    record = make_counterparty(rep, name="Łódź <b>Sp. z o.o.")
    page = signed_in(rep).get("/search/hits/", {"q": "lodz"}, headers={"HX-Request": "true"}).content.decode()
    assert f'href="/counterparties/{record.pk}/"' in page
    assert "<b>" not in page
    assert "<html" not in page
    assert "Sp. z" not in signed_in(outsider).get("/search/hits/", {"q": "lodz"}).content.decode()
    assert signed_in(rep).get("/search/hits/", {"q": " "}).content.decode().strip() == ""
