"""Notes: naming people who may see the card, and correcting a note while it is fresh."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Comment, Event
from crm.history.notes import FRESH, add_comment, edit_comment, mention_offers, remove_comment
from crm.notify.models import Notification
from tests.factories.leads import make_lead

HTMX = {"HX-Request": "true"}


def told(user) -> list[str]:
    return [row.sentence for row in Notification.objects.filter(user=user, kind="mention").order_by("pk")]


def story(signed_in, user, lead, **params) -> str:
    url = reverse("history:card_history", args=["leads.lead", lead.pk])
    return signed_in(user).get(url, params, headers=HTMX).content.decode()


def test_people_named_in_a_note_are_told_and_linked(rep, head, teammate, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="Please, @head and @teammate. Mail a@head.example <b>", by=rep)
    assert {person["login"] for person in comment.mentions} == {"head", "teammate"}
    assert told(head) == [
        f"{rep} mentioned you on “{lead}”: Please, @head and @teammate. Mail a@head.example <b>"
    ]
    assert Notification.objects.get(user=head).url == reverse("leads:lead_detail", args=[lead.pk])
    shown = story(signed_in, rep, lead)
    assert shown.count('class="mention"') == 2
    assert f"?actor={head.pk}" in shown
    assert "a@head.example &lt;b&gt;" in shown


def test_who_may_not_see_the_card_is_neither_told_nor_linked_nor_offered(rep, outsider, head, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="@outsider @nobody @rep", by=rep)
    assert [person["login"] for person in comment.mentions] == ["rep"]
    assert (told(outsider), told(rep)) == ([], [])
    assert outsider not in mention_offers(record=lead, typed="out", by=rep)
    assert mention_offers(record=lead, typed="HEA", by=rep) == [head]
    url = reverse("history:mention_options", args=["leads.lead", lead.pk])
    assert "@outsider" not in signed_in(rep).get(url, {"q": ""}).content.decode()
    assert 'data-login="head"' in signed_in(rep).get(url, {"q": ""}).content.decode()
    assert signed_in(outsider).get(url).status_code == 404


def test_dismissed_people_are_not_named(rep, head):
    head.is_active = False
    head.save()
    lead = make_lead(rep)
    assert add_comment(record=lead, text="@head", by=rep).mentions == []
    assert mention_offers(record=lead, typed="head", by=rep) == []


def test_a_fresh_note_is_corrected_by_its_author(rep, head, teammate, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="Ask @head", by=rep)
    url = reverse("history:comment_update", args=[comment.pk])
    assert url in story(signed_in, rep, lead)
    assert url not in story(signed_in, head, lead)
    client = signed_in(rep)
    assert "Ask @head" in client.get(url).content.decode()
    assert client.post(url, {"text": " "}).status_code == 422
    assert client.post(url, {"text": "Ask @head and @teammate\x00"}).status_code == 302
    comment.refresh_from_db()
    assert (comment.text, bool(comment.edited_at)) == ("Ask @head and @teammate", True)
    assert (len(told(head)), len(told(teammate))) == (1, 1)
    assert signed_in(head).post(url, {"text": "x"}).status_code == 403


def test_a_removed_note_loses_its_words_and_keeps_its_event(rep, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="A secret", by=rep)
    signed_in(rep).post(reverse("history:comment_removal", args=[comment.pk]))
    comment.refresh_from_db()
    assert (comment.text, comment.mentions, bool(comment.removed_at)) == ("", [], True)
    assert Event.objects.filter(kind="comment_added").count() == 1
    shown = story(signed_in, rep, lead)
    assert "A secret" not in shown
    assert "The note was removed by its author." in shown
    with pytest.raises(ValidationError):
        edit_comment(comment=comment, text="back", by=rep)


def test_after_a_quarter_of_an_hour_it_stays_as_it_is(rep, outsider, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="Old", by=rep)
    with pytest.raises(PermissionDenied):
        remove_comment(comment=comment, by=outsider)
    Event.objects.filter(pk=comment.event_id).update(at=timezone.now() - FRESH - timedelta(seconds=1))
    comment = Comment.objects.get()
    for change in (
        lambda: edit_comment(comment=comment, text="New", by=rep),
        lambda: remove_comment(comment=comment, by=rep),
    ):
        with pytest.raises(ValidationError):
            change()
    assert reverse("history:comment_update", args=[comment.pk]) not in story(signed_in, rep, lead)
    assert (
        signed_in(rep).post(reverse("history:comment_update", args=[comment.pk]), {"text": "x"}).status_code
        == 422
    )
    assert Comment.objects.get().text == "Old"


def test_whoever_lost_the_card_corrects_nothing(rep, outsider, signed_in):
    lead = make_lead(rep)
    comment = add_comment(record=lead, text="Mine", by=rep)
    lead.owner = outsider
    lead.save()
    assert (
        signed_in(rep).post(reverse("history:comment_update", args=[comment.pk]), {"text": "x"}).status_code
        == 404
    )
    with pytest.raises(PermissionDenied):
        edit_comment(comment=comment, text="x", by=rep)


def test_the_history_is_narrowed_by_person_and_period(rep, head, signed_in):
    lead = make_lead(rep)
    add_comment(record=lead, text="Of today by rep", by=rep)
    add_comment(record=lead, text="Of today by head", by=head)
    old = add_comment(record=lead, text="Of last year", by=rep)
    moment = timezone.now() - timedelta(days=400)
    Event.objects.filter(pk=old.event_id).update(at=moment)
    old.event.links.update(at=moment)

    def shown(**params):
        text = story(signed_in, rep, lead, **params)
        return [words for words in ("Of today by rep", "Of today by head", "Of last year") if words in text]

    today, day = timezone.localdate().isoformat(), timezone.localdate(moment).isoformat()
    assert shown() == ["Of today by rep", "Of today by head", "Of last year"]
    assert shown(actor=head.pk) == ["Of today by head"]
    assert shown(since=today) == ["Of today by rep", "Of today by head"]
    assert shown(until=day) == ["Of last year"]
    assert shown(since=day, until=day, actor=rep.pk, group="note") == ["Of last year"]
    assert shown(since=day, until=day, actor=head.pk) == []
    assert len(shown(since="x", until="2026-99-99", actor="-1", group="x")) == 3
    assert len(shown(until="9999-12-31")) == 3


def test_endless_scroll_keeps_the_filters(rep, head, signed_in):
    lead = make_lead(rep)
    for number in range(25):
        add_comment(record=lead, text=f"Note {number}.", by=head)
    add_comment(record=lead, text="By rep", by=rep)
    first = story(signed_in, rep, lead, actor=head.pk, group="note")
    assert f"?group=note&amp;actor={head.pk}&amp;cursor=" in first
    assert "By rep" not in first.split('<ol class="history">')[1]
    assert "Note 5." in first
    assert "Note 4." not in first
