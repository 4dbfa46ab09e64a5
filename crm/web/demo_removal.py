"""Starting for real: the demo's records go for good, what people made or worked on stays."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet

from crm.history.bin import StillNeeded, deletable_kinds, delete_record
from crm.history.erasing import erase_now
from crm.history.models import Event, EventLink
from crm.jobs.models import Job
from crm.jobs.services import enqueue
from crm.people.kinds import RecordKind
from crm.people.models import User
from crm.web.models import DemoMark

JOB = "web.demo_removal"
KEY = "demo"
EVENTS = "history.event"
USERS = "people.user"


@dataclass(frozen=True)
class Share:
    """How many records of a kind would go, and how many demo records people have worked on."""

    kind: RecordKind
    going: int
    staying: int


def mark_demo() -> None:
    """Notes where the demo data ends; called once it is loaded."""
    tables: list[tuple[str, type[models.Model]]] = [(kind.label, kind.model) for kind in deletable_kinds()]
    for label, model in [*tables, (EVENTS, Event), (USERS, User)]:
        last = model._base_manager.order_by("-pk").values_list("pk", flat=True).first() or 0
        DemoMark.objects.update_or_create(kind=label, defaults={"last_id": last})


def has_demo() -> bool:
    return DemoMark.objects.exists()


def may_remove(user) -> bool:
    return user.is_active and user.is_superuser


def removable_kinds() -> list[RecordKind]:
    """From the top of the ladder down: what refers to others goes first."""
    marked = set(DemoMark.objects.values_list("kind", flat=True))
    return [kind for kind in reversed(deletable_kinds()) if kind.label in marked]


def demo_records(kind: RecordKind) -> QuerySet:
    last = DemoMark.objects.filter(kind=kind.label).values_list("last_id", flat=True).first() or 0
    return kind.model._base_manager.filter(pk__lte=last)


def untouched(kind: RecordKind) -> QuerySet:
    """Demo records on whose cards nothing has happened since the demo was loaded."""
    last = DemoMark.objects.filter(kind=EVENTS).values_list("last_id", flat=True).first() or 0
    since = EventLink.objects.filter(kind=kind.label, record_id=OuterRef("pk"), event_id__gt=last)
    return demo_records(kind).exclude(Exists(since))


def plan_removal() -> list[Share]:
    """What would go and what would stay, kind by kind."""
    found = []
    for kind in removable_kinds():
        going = untouched(kind).count()
        found.append(Share(kind, going, demo_records(kind).count() - going))
    return found


@transaction.atomic
def start_removal(*, by) -> Job:
    """Has the demo data removed by a job. Raises PermissionDenied."""
    if not may_remove(by):
        raise PermissionDenied
    total = sum(share.going for share in plan_removal())
    return enqueue(kind=JOB, key=KEY, by=by, total=total)


@transaction.atomic
def remove_one(kind: RecordKind, record, by) -> bool:
    """Erases one demo record with its history and files; False when something still refers to it."""
    try:
        with transaction.atomic():
            if record.deleted_at is None:
                delete_record(record=record, by=by)
            erase_now(kind=kind.label, record_id=record.pk)
    except (ProtectedError, StillNeeded, PermissionDenied):
        return False
    return True


@transaction.atomic
def finish_removal(by) -> None:
    """Nobody signs in with the demo's password any more, except whoever removed the demo."""
    last = DemoMark.objects.filter(kind=USERS).values_list("last_id", flat=True).first() or 0
    for user in User.objects.filter(pk__lte=last, is_active=True).exclude(pk=by.pk):
        user.is_active = False
        user.set_unusable_password()
        user.save(update_fields=["is_active", "password"])
    DemoMark.objects.all().delete()
