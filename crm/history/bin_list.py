"""What the page of the recycle bin shows."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from crm.history.bin import deletable_kinds
from crm.history.models import Deletion
from crm.people.kinds import kind_named
from crm.people.models import User

PAGE = 50


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else None


class BinList:
    """One page of what the reader may restore, newest first; filters `kind`, `by` (person), cursor `before`."""

    def __init__(self, user, params: Mapping[str, str]):
        known = {kind.label for kind in deletable_kinds()}
        self.kind = params.get("kind", "") if params.get("kind", "") in known else ""
        self.person = _number(params.get("by", ""))
        rows = Deletion.objects.visible_to(user).filter(along_with=None)
        people = rows.order_by().values("deleted_by").distinct()
        self.people = list(User.objects.filter(pk__in=people))
        if self.kind:
            rows = rows.filter(kind=self.kind)
        if self.person:
            rows = rows.filter(deleted_by=self.person)
        before = _number(params.get("before", ""))
        if before:
            rows = rows.filter(pk__lt=before)
        found = list(
            rows.select_related("deleted_by").prefetch_related("followers").order_by("-pk")[: PAGE + 1]
        )
        self.rows = [(row, kind_named(row.kind)) for row in found[:PAGE]]
        self.next_query = self._next(found) if len(found) > PAGE else ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.kind or self.person)

    def _next(self, found: list[Deletion]) -> str:
        chosen: dict[str, int | str] = {"before": found[PAGE - 1].pk}
        if self.kind:
            chosen["kind"] = self.kind
        if self.person:
            chosen["by"] = self.person
        return urlencode(chosen)
