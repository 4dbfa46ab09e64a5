"""Putting tags on records and taking them off; the only writer of `Tagging`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from crm.history.models import Event
from crm.history.services import FieldChange, record_events
from crm.listing.tags.models import Tag, Tagging
from crm.people.access import kind_label
from crm.people.folding import fold
from crm.people.visibility import OwnedRecord

FIELD = "tags"
LABEL = gettext_noop("Tags")
TAGGED = "record_tagged"
MOST_ON_A_RECORD = 30
MOST_IN_THE_DICTIONARY = 500
MOST_LETTERS = 40


def tags_of(kind: str, pks: Iterable[int]) -> dict[int, list[Tag]]:
    """The tags of several records of a kind, by id, in the dictionary's order. One query."""
    found: dict[int, list[Tag]] = {}
    rows = Tagging.objects.filter(record_kind=kind, record_id__in=list(pks)).select_related("tag")
    for row in rows.order_by("tag__position", "tag__key"):
        found.setdefault(row.record_id, []).append(row.tag)
    return found


def make_tag(*, name: str) -> Tag:
    """The tag of that name, made when there is none. Raises ValidationError.

    Whoever may tag a record may make a tag: its name is everybody's to read.
    """
    name = " ".join(name.replace("\x00", "").split())
    key = fold(name)[:120]
    if not key or not name.isprintable() or len(name) > MOST_LETTERS:
        raise ValidationError(_("A tag is one to 40 letters."))
    known = Tag.objects.filter(key=key).first()
    if known is not None:
        return known
    if Tag.objects.count() >= MOST_IN_THE_DICTIONARY:
        raise ValidationError(_("There are 500 tags already: use one of them."))
    colours = Tag.Colour.values
    colour = colours[hashlib.sha256(key.encode()).digest()[0] % len(colours)]
    Tag.objects.bulk_create([Tag(name=name, key=key, colour=colour)], ignore_conflicts=True)
    return Tag.objects.get(key=key)


@transaction.atomic
def change_tags(
    *,
    records: list[OwnedRecord],
    add: Iterable[Tag] = (),
    remove: Iterable[Tag] = (),
    each: Mapping[int, Iterable[Tag]] | None = None,
    by,
    via: str = "",
    payload: dict | None = None,
) -> dict[int, Event]:
    """Adds and removes tags on records of one kind; returns the event of each record that differs, by id.

    `each`: what else single records get, by their id. `payload` joins the events' own: imports name themselves there.
    Raises PermissionDenied unless `by` may edit every one of them, ValidationError for too many tags.
    """
    if not records:
        return {}
    model, kind = type(records[0]), kind_label(type(records[0]))
    pks = {record.pk for record in records}
    allowed = model.objects.visible_to(by, "edit").filter(pk__in=pks).values_list("pk", flat=True)
    if pks - set(allowed) or FIELD in by.access.locked_fields(model):
        raise PermissionDenied
    gone = {tag.pk for tag in remove}
    common, single = list(add), each or {}
    before = tags_of(kind, pks)
    changes, added = {}, []
    for pk in pks:
        old = before.get(pk, [])
        fresh = {tag.pk: tag for tag in (*common, *single.get(pk, ())) if tag.pk not in gone}
        new = [tag for tag in old if tag.pk not in gone]
        new += [tag for tag in fresh.values() if tag not in old]
        new.sort(key=lambda tag: (tag.position, tag.key))
        if len(new) > MOST_ON_A_RECORD:
            raise ValidationError(_("A record has 30 tags at most."))
        if {tag.pk for tag in new} != {tag.pk for tag in old}:
            changes[pk] = [_change(old, new)]
            added += [Tagging(tag=tag, record_kind=kind, record_id=pk) for tag in fresh.values()]
    Tagging.objects.filter(record_kind=kind, record_id__in=changes, tag__in=gone).delete()
    Tagging.objects.bulk_create(added, ignore_conflicts=True, batch_size=1000)
    subjects = [record for record in records if record.pk in changes]
    return record_events(kind=TAGGED, subjects=subjects, by=by, via=via, changes=changes, payload=payload)


def _change(old: list[Tag], new: list[Tag]) -> FieldChange:
    return FieldChange(
        FIELD, LABEL, [tag.pk for tag in old], [tag.pk for tag in new],
        ", ".join(tag.name for tag in old), ", ".join(tag.name for tag in new),
    )  # fmt: skip


def take_back(*, record: OwnedRecord, event: Event, by) -> Event | None:
    """What the event added goes, what it removed comes back; tags put on or taken off since stay as they are."""
    change = event.changes.filter(field=FIELD).first()
    if change is None:
        return None
    added, removed = set(change.new) - set(change.old), set(change.old) - set(change.new)
    return change_tags(
        records=[record],
        add=Tag.objects.filter(pk__in=removed),
        remove=Tag.objects.filter(pk__in=added),
        by=by,
    ).get(record.pk)


@transaction.atomic
def put_tags(*, kind: str, tags: Mapping[int, Iterable[Tag]]) -> None:
    """Tags of records that have just come into being, by their ids; their own event tells of it all.

    Raises ValidationError for too many on one of them.
    """
    wanted = {pk: {tag.pk: tag for tag in found} for pk, found in tags.items()}
    if any(len(found) > MOST_ON_A_RECORD for found in wanted.values()):
        raise ValidationError(_("A record has 30 tags at most."))
    rows = [
        Tagging(tag=tag, record_kind=kind, record_id=pk)
        for pk, found in wanted.items()
        for tag in found.values()
    ]
    Tagging.objects.bulk_create(rows, batch_size=1000)


@transaction.atomic
def carry_tags(*, source: OwnedRecord, targets: Iterable[OwnedRecord]) -> None:
    """The source's tags stand on the targets too: for conversions and merges, which tell of themselves."""
    tags = tags_of(kind_label(type(source)), [source.pk]).get(source.pk, [])
    Tagging.objects.bulk_create(
        [
            Tagging(tag=tag, record_kind=kind_label(type(target)), record_id=target.pk)
            for target in targets
            if target is not None
            for tag in tags
        ],
        ignore_conflicts=True,
    )
