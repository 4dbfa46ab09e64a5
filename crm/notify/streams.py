"""Which open page hears which live row: reading the table, and asking the rights. Runs in threads of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace

from django.conf import settings
from django.contrib.auth import get_user
from django.db.models import Max
from django.utils import timezone

from crm.notify.models import LiveRow
from crm.people.kinds import kind_named

# A transaction may commit after one with a higher id: rows this young are looked at again.
OVERLAP = timedelta(seconds=10)
REPLAYED = 500


@dataclass(frozen=True)
class Row:
    """A live row as it travels through the process."""

    pk: int
    user_id: int | None
    kind: str
    record_kind: str
    record_id: int | None

    @property
    def body(self) -> dict:
        """What the browser gets."""
        return {"kind": self.kind, "record": self.record_kind, "id": self.record_id}


FIELDS = ("pk", "user_id", "kind", "record_kind", "record_id")


class Tail:
    """The end of the table: each call gives the rows that were committed since the last one."""

    def __init__(self) -> None:
        self._floor: int | None = None
        self._seen: set[int] = set()

    def new_rows(self) -> list[Row]:
        """Rows not given before. The first call gives none: it only finds the end."""
        first, rows = self._floor is None, LiveRow.objects.order_by("pk")
        if first:
            old = rows.filter(created_at__lt=timezone.now() - OVERLAP)
            self._floor = old.aggregate(last=Max("pk"))["last"] or 0
        young = timezone.now() - OVERLAP
        found = list(rows.filter(pk__gt=self._floor).values_list(*FIELDS, "created_at"))
        fresh = [Row(*values[:-1]) for values in found if values[0] not in self._seen]
        self._seen.update(row.pk for row in fresh)
        for values in found:
            if values[-1] >= young:
                break
            self._floor = values[0]
        self._seen = {pk for pk in self._seen if pk > self._floor}
        return [] if first else fresh


def reader_of(cookies: str):
    """The signed-in user of a Cookie header, with fresh rights; None for anybody else."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return None
    if morsel is None:
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(SimpleNamespace(session=store))
    return user if user.is_authenticated and user.is_active else None


def heard_by(user, rows: Iterable[Row]) -> list[Row]:
    """Those of the rows that `user` may know of."""
    mine = [row for row in rows if row.user_id in (None, user.pk)]
    wanted: dict[str, set[int]] = {}
    for row in mine:
        if row.record_kind:
            wanted.setdefault(row.record_kind, set()).add(row.record_id)
    visible: dict[str, set[int]] = {}
    for label, pks in wanted.items():
        kind = kind_named(label)
        visible[label] = (
            set(kind.visible(user).filter(pk__in=pks).values_list("pk", flat=True)) if kind else set()
        )
    return [row for row in mine if not row.record_kind or row.record_id in visible[row.record_kind]]


def hearings(users: list, rows: list[Row]) -> dict[int, list[Row]]:
    """For each user's id what he may hear of these rows."""
    return {user.pk: heard_by(user, rows) for user in users}


def missed(user, after: int | None, seconds: int) -> list[Row]:
    """What `user` would have heard since the row `after`, or during the last `seconds`."""
    rows = LiveRow.objects.filter(created_at__gte=timezone.now() - timedelta(seconds=seconds))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    newest = rows.order_by("-pk").values_list(*FIELDS)[:REPLAYED]
    return heard_by(user, [Row(*values) for values in reversed(newest)])
