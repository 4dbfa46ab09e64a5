"""Notes on cards: leaving one, naming people in it, and correcting it while it is fresh."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.history.models import Comment
from crm.history.services import record_event
from crm.history.signals import people_mentioned
from crm.people.folding import fold
from crm.people.kinds import kind_named
from crm.people.models import User
from crm.people.visibility import demand, may

FRESH = timedelta(minutes=15)
LIMIT = 10_000
MENTION = re.compile(r"(?<![\w@.+-])@(\w(?:[\w.+-]{0,148}\w)?)")
MOST_MENTIONS, OFFERED, LOOKED_AT = 20, 8, 24


def may_change(comment: Comment, user) -> bool:
    """Whether `user` may still correct or remove the note: its author, for a quarter of an hour."""
    return (
        comment.event.actor_id == user.pk
        and comment.removed_at is None
        and timezone.now() - comment.event.at < FRESH
    )


@transaction.atomic
def add_comment(*, record: models.Model, text: str, by, cards: Iterable[models.Model] = ()) -> Comment:
    """Leaves a note on a card and tells the people it names by `@login`, if they may see the card.

    Raises PermissionDenied for a card `by` does not see, ValidationError for no text.
    """
    demand(by, "view", record)
    text = _clean(text)
    event = record_event(kind="comment_added", subject=record, by=by, cards=cards)
    people = mentioned_in(text, record)
    comment = Comment.objects.create(event=event, text=text, mentions=_named(people))
    _tell(comment, record, people, by)
    return comment


@transaction.atomic
def edit_comment(*, comment: Comment, text: str, by) -> Comment:
    """Corrects a fresh note of one's own; people it newly names are told. Raises PermissionDenied, ValidationError."""
    record = _demand_fresh(comment, by)
    known = {person["id"] for person in comment.mentions}
    people = mentioned_in(comment_text := _clean(text), record)
    comment.text, comment.mentions, comment.edited_at = comment_text, _named(people), timezone.now()
    comment.save(update_fields=["text", "mentions", "edited_at"])
    _tell(comment, record, [person for person in people if person.pk not in known], by)
    return comment


@transaction.atomic
def remove_comment(*, comment: Comment, by) -> Comment:
    """Removes the words of a fresh note of one's own; that there was one stays. Raises as `edit_comment` does."""
    _demand_fresh(comment, by)
    comment.text, comment.mentions, comment.removed_at = "", [], timezone.now()
    comment.save(update_fields=["text", "mentions", "removed_at"])
    return comment


def _clean(text: str) -> str:
    text = text.strip().replace("\x00", "").encode("utf-8", "ignore").decode()
    if not text:
        raise ValidationError(_("Write something first."))
    return text[:LIMIT]


def card_of(comment: Comment) -> models.Model | None:
    """The record the note was left on."""
    kind = kind_named(comment.event.subject_kind)
    return kind.model._base_manager.filter(pk=comment.event.subject_id).first() if kind else None


def _demand_fresh(comment: Comment, by) -> models.Model:
    record = card_of(comment)
    if record is None or comment.event.actor_id != by.pk:
        raise PermissionDenied
    demand(by, "view", record)
    Comment.objects.select_for_update().values_list("pk").get(pk=comment.pk)
    comment.refresh_from_db()
    if not may_change(comment, by):
        raise ValidationError(_("A note can be changed for 15 minutes only."))
    return record


def _named(people: list[User]) -> list[dict]:
    return [{"id": person.pk, "login": person.username, "name": str(person)} for person in people]


def _tell(comment: Comment, record: models.Model, people: list[User], by) -> None:
    if people:
        people_mentioned.send(Comment, comment=comment, record=record, people=people, by=by)


def mentioned_in(text: str, record: models.Model) -> list[User]:
    """The people whom the text names by `@login` and who may see the card; the others are plain words."""
    logins = list(dict.fromkeys(MENTION.findall(text)))[:MOST_MENTIONS]
    if not logins:
        return []
    found = User.objects.filter(username__in=logins, is_active=True)
    return [person for person in found if may(person, "view", record)]


def mention_offers(*, record: models.Model, typed: str, by) -> list[User]:
    """People to offer after an `@`: those who may see the card, colleagues of one's own department first."""
    wanted = fold(typed)
    people = [
        person
        for person in User.objects.filter(is_active=True).exclude(pk=by.pk)
        if any(part.startswith(wanted) for part in fold(f"{person.username} {person}").split())
    ]
    people.sort(key=lambda person: (person.department_id != by.department_id, str(person)))
    offers: list[User] = []
    for person in people[:LOOKED_AT]:
        if len(offers) < OFFERED and may(person, "view", record):
            offers.append(person)
    return offers
