"""What somebody's portfolio is made of: the kinds of record that go to a successor when he leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from crm.listing.lists import list_of
from crm.people.kinds import RecordKind, kind_named


@dataclass(frozen=True)
class PortfolioKind:
    """`kind` has a registered list that can assign. `is_open`: the records still in work; the others may stay.

    `traits`: {what tells records apart where several people share them: the paths to it}.
    """

    kind: str
    order: int
    is_open: Q = field(default_factory=Q)
    traits: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def record_kind(self) -> RecordKind:
        return kind_named(self.kind)

    def records(self, owner, by, *, closed_too: bool = False) -> QuerySet:
        """What `owner` has of the kind that `by` may assign."""
        rows = self.record_kind.visible(by, "assign").filter(owner=owner)
        return rows if closed_too else rows.filter(self.is_open)


_kinds: dict[str, PortfolioKind] = {}


def register_portfolio(kind: PortfolioKind) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _kinds[kind.kind] = kind


def portfolio_kinds(by) -> list[PortfolioKind]:
    """The kinds that `by` may assign, in order."""
    found = sorted(_kinds.values(), key=lambda kind: kind.order)
    return [kind for kind in found if list_of(kind.kind) and by.access.may(kind.kind, "assign")]
