"""The recycle bin: deleting a record with all that hangs on it, and taking both out again.

A deleted record is invisible everywhere, since `visible_to` leaves it out; nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.attributes.models import AttributedRecord, AttributeValue
from crm.attributes.services import attributes_of, demand_unique, write_derived
from crm.history.models import Deletion
from crm.history.services import record_event, record_events
from crm.history.signals import record_restored, records_deleted
from crm.people.access import kind_label
from crm.people.kinds import RecordKind, kind_named
from crm.people.visibility import OwnedRecord, demand

NAMED = 5


class StillNeeded(ValidationError):
    """Records hang on this one that must be decided about first; the text says which."""


@dataclass(frozen=True)
class Follower:
    """Records of another kind that hang on a record of kind `of` and go into the bin with it.

    `find(record)`: them, as a queryset. `asks`: only if the person says so and may delete each of them.
    """

    of: str
    label: str
    find: Callable[[models.Model], models.QuerySet]
    asks: bool = False


@dataclass(frozen=True)
class Attached:
    """What would go along, for the confirmation. `named`: the first few that the reader sees, `count`: all he sees.

    `is_blocked`: some of them he may not delete, so the record has to stay.
    """

    label: str
    count: int
    named: list[models.Model]
    asks: bool
    is_blocked: bool


_deletable: list[str] = []
_followers: dict[str, list[Follower]] = {}
_consequences: dict[str, list[Callable]] = {}


def register_deletable(*labels: str) -> None:
    """Called from `AppConfig.ready()` with the kinds that people may delete."""
    _deletable.extend(label for label in labels if label not in _deletable)


def register_follower(*followers: Follower) -> None:
    """Called from `AppConfig.ready()` of the area whose records hang on others."""
    for follower in followers:
        _followers.setdefault(follower.of, []).append(follower)


def register_consequence(label: str, describe: Callable[[models.Model], str]) -> None:
    """What else deleting a record does, as a sentence for the confirmation; empty for nothing."""
    _consequences.setdefault(label, []).append(describe)


def consequences_of(record: models.Model) -> list[str]:
    told = [describe(record) for describe in _consequences.get(kind_label(type(record)), [])]
    return [sentence for sentence in told if sentence]


def deletable_kinds() -> list[RecordKind]:
    """The kinds people may delete, in the order they were registered."""
    return [kind for label in _deletable if (kind := kind_named(label)) is not None]


def is_deletable(label: str) -> bool:
    return label in _deletable


def attached_to(*, record: OwnedRecord, user) -> list[Attached]:
    """What hangs on the record, as far as the reader may know. Nothing for a kind without followers."""
    found = []
    for follower in _followers.get(kind_label(type(record)), []):
        rows = follower.find(record)
        ids = rows.order_by().values("pk")
        seen = rows.model.objects.visible_to(user).filter(pk__in=ids)
        mine = rows.model.objects.visible_to(user, "delete").filter(pk__in=ids)
        blocked = follower.asks and rows.count() > mine.count()
        if blocked or seen.exists():
            found.append(Attached(follower.label, seen.count(), list(seen[:NAMED]), follower.asks, blocked))
    return found


@transaction.atomic
def delete_record(*, record: OwnedRecord, by, with_attached: bool = False, via: str = "") -> Deletion:
    """Puts a record into the bin, and what hangs on it.

    `with_attached`: also what asks to be decided about. Raises PermissionDenied, StillNeeded; then nothing is deleted.
    """
    if not is_deletable(kind_label(type(record))):
        raise PermissionDenied
    demand(by, "delete", record)
    type(record)._base_manager.select_for_update().values_list("pk").get(pk=record.pk)
    for group in attached_to(record=record, user=by):
        if group.is_blocked:
            raise StillNeeded(
                _("Other people's records still hang on “%(name)s”. It has to stay.") % {"name": record}
            )
        if group.asks and not with_attached:
            raise StillNeeded(
                _("Decide what happens to %(what)s first (%(count)s).")
                % {"what": group.label, "count": group.count}
            )
    return _put(record, by, via, None)


@transaction.atomic
def delete_records(*, records: list[OwnedRecord], by, via: str = "") -> list[int]:
    """Puts many records of one kind, on which nothing hangs, into the bin in a few statements; ids of those it put.

    Only those that `by` may delete: the caller asks `visible_to` for nothing. Raises PermissionDenied for a kind that
    nobody deletes.
    """
    if not records:
        return []
    model = type(records[0])
    label, now = kind_label(model), timezone.now()
    if not is_deletable(label):
        raise PermissionDenied
    ids = [record.pk for record in records]
    allowed = model.objects.visible_to(by, "delete").filter(pk__in=ids).values_list("pk", flat=True)
    found = [record for record in records if record.pk in set(allowed)]
    pks = [record.pk for record in found]
    standing = model._base_manager.filter(pk__in=pks, deleted_at=None)
    standing.update(deleted_at=now, updated_at=now, version=F("version") + 1)
    for record in found:
        record.deleted_at, record.version = now, record.version + 1
    # Indexed values would keep a unique one taken.
    AttributeValue.objects.filter(record_kind=label, record_id__in=pks).delete()
    Deletion.objects.bulk_create(
        [
            Deletion(kind=label, record_id=one.pk, title=str(one)[:200], deleted_by=by, deleted_at=now)
            for one in found
        ],
        batch_size=500,
    )
    record_events(kind="record_deleted", subjects=[*found], by=by, via=via)
    records_deleted.send(model, records=found, by=by)
    return pks


def _put(record: OwnedRecord, by, via: str, top: Deletion | None) -> Deletion:
    now, label, model = timezone.now(), kind_label(type(record)), type(record)
    standing = model._base_manager.filter(pk=record.pk, deleted_at=None)
    if not standing.update(deleted_at=now, updated_at=now, version=F("version") + 1):
        return Deletion.objects.get(kind=label, record_id=record.pk)
    record.refresh_from_db()
    # Indexed values would keep a unique one taken.
    AttributeValue.objects.filter(record_kind=label, record_id=record.pk).delete()
    deletion = Deletion.objects.create(
        kind=label,
        record_id=record.pk,
        title=str(record)[:200],
        deleted_by=by,
        deleted_at=now,
        along_with=top,
    )
    record_event(kind="record_deleted", subject=record, by=by, via=via, version=record.version)
    records_deleted.send(model, records=[record], by=by)
    for follower in _followers.get(label, []):
        for other in follower.find(record):
            _put(other, by, via, top or deletion)
    return deletion


@transaction.atomic
def restore_record(*, deletion: Deletion, by) -> OwnedRecord:
    """Takes a record out of the bin with all that went along with it.

    Raises PermissionDenied, or ValidationError when it no longer fits: a unique value is taken, what it hangs on is
    itself deleted.
    """
    kind = kind_named(deletion.kind)
    if kind is None or not kind.model.objects.in_bin(by).filter(pk=deletion.record_id).exists():
        raise PermissionDenied
    followers = list(deletion.followers.order_by("id"))
    record = _take_out(deletion, by)
    for follower in followers:
        _take_out(follower, by)
    Deletion.objects.filter(pk__in=[deletion.pk, *(row.pk for row in followers)]).delete()
    return record


def _take_out(deletion: Deletion, by) -> OwnedRecord:
    model = kind_named(deletion.kind).model
    gone = model._base_manager.filter(pk=deletion.record_id, deleted_at__isnull=False)
    for record in gone:
        # A value that is unique among what stands may belong to another record by now.
        record.deleted_at = None
        record.validate_constraints()
    returned = gone.update(deleted_at=None, updated_at=timezone.now(), version=F("version") + 1)
    record = model._base_manager.get(pk=deletion.record_id)
    if not returned:
        return record
    if isinstance(record, AttributedRecord):
        attributes = attributes_of(record.get_attribute_set_id())
        demand_unique(record, attributes, record.attributes)
        write_derived(record, attributes)
    record_event(kind="record_restored", subject=record, by=by, version=record.version)
    record_restored.send(model, record=record, by=by)
    return record
