"""Parents and daughters of counterparties: no rings, bounded depth, whole groups."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from counterparties.models import Counterparty
from crm.people.visibility import may

DEEPEST = 8
LARGEST = 500


def parent_chain(pk: int | None) -> list[int]:
    """The record and what stands above it, nearest first; one query a level, cut at twice the allowed depth."""
    chain: list[int] = []
    while pk is not None and pk not in chain and len(chain) <= DEEPEST * 2:
        chain.append(pk)
        pk = Counterparty._base_manager.filter(pk=pk).values_list("parent_id", flat=True).first()
    return chain


def lock_groups() -> None:
    """Lets one transaction at a time hang a counterparty under another: two at once could close a ring.

    Locks the oldest counterparty; SQLite has one writer anyway.
    """
    list(Counterparty._base_manager.select_for_update().order_by("pk").values_list("pk", flat=True)[:1])


def demand_no_ring(counterparty: Counterparty, parent: Counterparty | None, by) -> None:
    """Raises ValidationError when `parent` stands below the counterparty, is not visible, or stands too deep."""
    if parent is None:
        return
    if not may(by, "view", parent):
        raise ValidationError({"parent": _("There is no such counterparty.")})
    lock_groups()
    chain = parent_chain(parent.pk)
    if counterparty.pk is not None and counterparty.pk in chain:
        raise ValidationError(
            {"parent": _("%(name)s stands below this counterparty already.") % {"name": parent}}
        )
    if len(chain) + depth_below(counterparty.pk) > DEEPEST:
        raise ValidationError({"parent": _("A group has at most %(count)s levels.") % {"count": DEEPEST}})


def levels_below(pk: int | None) -> list[list[int]]:
    """The ids below a record, level by level; one query a level, at most LARGEST altogether."""
    levels, level, seen = [], [pk] if pk is not None else [], {pk}
    while level and len(levels) < DEEPEST and len(seen) <= LARGEST:
        found = Counterparty._base_manager.filter(parent__in=level, deleted_at=None).order_by(
            "sort_key", "pk"
        )
        level = [one for one in found.values_list("pk", flat=True)[:LARGEST] if one not in seen]
        seen |= set(level)
        if level:
            levels.append(level)
    return levels


def depth_below(pk: int | None) -> int:
    """How many levels a record brings along, itself included."""
    return 1 + len(levels_below(pk))


def top_of(pk: int) -> int:
    """The head of the group a record stands in."""
    return parent_chain(pk)[-1]


def group_ids(counterparty: Counterparty) -> list[int]:
    """The counterparty and everything below it."""
    return [counterparty.pk, *(pk for level in levels_below(counterparty.pk) for pk in level)]
