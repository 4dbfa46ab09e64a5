"""A card's history: what stands on it, for whom, how it pages, and notes."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from counterparties.models import Counterparty, CounterpartyType
from crm.attributes.models import AttributeSet
from crm.history.cards import PAGE, card_history
from crm.history.models import Comment, Event
from crm.history.notes import add_comment
from crm.history.services import carry_history, record_event, record_events

KIND = "counterparties.counterparty"


@pytest.fixture
def make(db):
    schema = AttributeSet.objects.create(name="Company", kind=KIND)
    kind = CounterpartyType.objects.create(name="Company", key="company", attribute_set=schema)
    return lambda owner, name="Card": Counterparty.objects.create(
        name=name, counterparty_type=kind, owner=owner
    )


def test_the_history_pages_from_the_newest_without_gaps(make, rep):
    card, now = make(rep), timezone.now()
    for number in range(PAGE * 2 + 5):
        record_event(
            kind="tested",
            subject=card,
            by=rep,
            payload={"n": number},
            at=now + timedelta(seconds=number // 3),
        )
    seen, cursor = [], ""
    for _ in range(3):
        page = card_history(user=rep, record=card, cursor=cursor)
        seen += [line.event.payload["n"] for line in page.lines]
        cursor = page.next_cursor
    assert seen == list(range(PAGE * 2 + 4, -1, -1))
    assert cursor == ""


def test_an_event_is_seen_by_whoever_sees_its_subject_not_the_linked_card(make, rep, outsider):
    card, foreign = make(rep), make(outsider, "Foreign")
    record_event(kind="tested", subject=foreign, by=outsider, cards=[card])
    record_event(kind="tested", subject=card, by=rep)
    assert [line.event.subject_id for line in card_history(user=rep, record=card).lines] == [card.pk]


def test_carried_history_stands_on_both_cards_and_is_not_copied(make, rep):
    source, target = make(rep), make(rep)
    record_events(kind="tested", subjects=[source], by=rep)
    assert carry_history(source=source, targets=[target, None]) == 1
    assert carry_history(source=source, targets=[target]) == 1
    assert Event.objects.count() == 1
    assert len(card_history(user=rep, record=target).lines) == 1


def test_the_number_of_queries_is_the_same_for_1_and_20_events(make, rep, django_assert_num_queries):
    card = make(rep)
    record_event(kind="tested", subject=card, by=rep)
    rep.access.hidden_fields(type(card))  # a reader's rights are read once a request
    with django_assert_num_queries(3):
        card_history(user=rep, record=card)
    record_events(kind="tested", subjects=[card] * 19, by=rep)
    with django_assert_num_queries(3):
        assert len(card_history(user=rep, record=card).lines) == 20


def test_a_note_is_left_and_shown(make, rep, signed_in):
    card = make(rep)
    url = reverse("history:comment_create", args=[KIND, card.pk])
    answer = signed_in(rep).post(url, {"text": "  <b>Zażółć</b> "}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "&lt;b&gt;Zażółć&lt;/b&gt;" in answer.content.decode()
    assert Comment.objects.get().text == "<b>Zażółć</b>"
    assert signed_in(rep).post(url, {"text": " "}, headers={"HX-Request": "true"}).status_code == 422


def test_an_outsider_finds_no_card(make, rep, outsider, signed_in):
    card = make(rep)
    client = signed_in(outsider)
    assert client.get(reverse("history:card_history", args=[KIND, card.pk])).status_code == 404
    assert (
        client.post(reverse("history:comment_create", args=[KIND, card.pk]), {"text": "x"}).status_code == 404
    )
    assert client.get(reverse("history:card_history", args=["no.kind", card.pk])).status_code == 404
    assert not Comment.objects.exists()


@pytest.mark.parametrize("cursor", ["x", "2026-01-01_", "_5", "2026-13-01T00:00_1", "9" * 60])
def test_a_cursor_of_nobody_is_ignored(make, rep, signed_in, cursor):
    card = make(rep)
    add_comment(record=card, text="note", by=rep)
    url = reverse("history:card_history", args=[KIND, card.pk])
    assert signed_in(rep).get(url, {"cursor": cursor, "actor": cursor}).status_code == 200
