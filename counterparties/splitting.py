"""Splitting a portfolio among several colleagues by what its counterparties are: region, city or category.

A record goes with its counterparty; one that has none, or whose place nobody was given, goes in turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from counterparties.models import Category, Counterparty, Region
from crm.listing.portfolio import PortfolioKind, portfolio_kinds
from crm.people.folding import fold
from crm.people.models import User

RULES = {
    "": _("Evenly, in turn"),
    "region": _("By region"),
    "city": _("By city"),
    "category": _("By category"),
}
COUNTERPARTY = "counterparty"
"""The trait of a `PortfolioKind` that names the ways from a record to its counterparty's id."""
_FIELDS = {"category": "categories"}
_COLUMNS = {"region": "region_id", "city": "city", "category": "memberships__category_id"}
MOST_GROUPS = 60


def rules_for(user) -> dict[str, str]:
    """The rules that name nothing hidden from the user."""
    hidden = user.access.hidden_fields(Counterparty)
    return {rule: label for rule, label in RULES.items() if _FIELDS.get(rule, rule) not in hidden}


@dataclass(frozen=True)
class Split:
    """By which rule, and who gets which group: {group: id of a successor}; other records go in turn."""

    rule: str = ""
    shares: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Records of one place or category. `counts`: (kind, how many of it)."""

    key: str
    label: str
    counts: list[tuple[PortfolioKind, int]]

    @property
    def total(self) -> int:
        return sum(number for _kind, number in self.counts)


def groups_of(rows: QuerySet, kind: PortfolioKind, rule: str, by: User) -> dict[int, dict[str, str]]:
    """{record: {group: its name as it is stored}}, in order; a record without any is left out.

    One query for what a kind knows itself, else one more for each way to a counterparty that `by` sees.
    """
    if own := kind.traits.get(rule):
        return _grouped(rows.order_by("pk").values_list("pk", *own))
    found: list[tuple] = []
    for place in kind.traits.get(COUNTERPARTY, ()):
        seen = Counterparty.objects.visible_to(by).filter(pk__in=rows.order_by().values(place))
        values: dict[int, list] = {}
        for pk, value in seen.order_by("pk").values_list("pk", _COLUMNS[rule]):
            values.setdefault(pk, []).append(value)
        found += [
            (pk, *values.get(counterparty, ()))
            for pk, counterparty in rows.order_by("pk").values_list("pk", place)
        ]
    return _grouped(found)


def _grouped(lines: Iterable[tuple]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for pk, *values in lines:
        for value in values:
            if key := fold(value):
                found.setdefault(pk, {}).setdefault(key, str(value))
    return {pk: dict(sorted(keys.items())) for pk, keys in found.items()}


def preview_groups(*, source: User, by: User, rule: str, closed_too: bool = False) -> list[Group]:
    """The groups of all that would go, the largest first, at most MOST_GROUPS; a record counts in its first one."""
    counts: dict[str, Counter] = {}
    spelled: dict[str, Counter] = {}
    kinds = portfolio_kinds(by)
    for kind in kinds:
        rows = kind.records(source, by, closed_too=closed_too)
        for keys in groups_of(rows, kind, rule, by).values():
            key, name = next(iter(keys.items()))
            counts.setdefault(key, Counter())[kind.kind] += 1
            spelled.setdefault(key, Counter())[name] += 1
    largest = sorted(counts, key=lambda key: (-counts[key].total(), key))[:MOST_GROUPS]
    labels = {key: spelled[key].most_common(1)[0][0] for key in largest} | _labels(rule, largest)
    return [
        Group(
            key,
            labels[key],
            [(kind, counts[key][kind.kind]) for kind in kinds if counts[key][kind.kind]],
        )
        for key in largest
    ]


def _labels(rule: str, keys: Iterable[str]) -> dict[str, str]:
    """The names of dictionaries' entries; a city is called as it is most often written."""
    if rule == "city":
        return {}
    model = Region if rule == "region" else Category
    return {
        str(one.pk): str(one) for one in model.objects.filter(pk__in=[key for key in keys if key.isdecimal()])
    }


def proposed_shares(groups: list[Group], successors: list[User]) -> dict[str, int]:
    """The largest group to whom has least so far: about as much for everybody."""
    if not successors:
        return {}
    load: Counter = Counter({one.pk: 0 for one in successors})
    shares = {}
    for group in groups:
        shares[group.key] = min(successors, key=lambda one: load[one.pk]).pk
        load[shares[group.key]] += group.total
    return shares


def divide(
    rows: QuerySet, kind: PortfolioKind, split: Split, successors: list[User], by: User
) -> list[tuple[User, list[int]]]:
    """Whom each record of the kind goes to, everybody once, in the order of `successors`."""
    people = {one.pk: one for one in successors}
    found: dict[int, list[int]] = {pk: [] for pk in people}
    groups = groups_of(rows, kind, split.rule, by) if split.rule else {}
    turn = 0
    for pk in rows.order_by("pk").values_list("pk", flat=True):
        given = next(
            (split.shares[key] for key in groups.get(pk, ()) if split.shares.get(key) in people), None
        )
        if given is None:
            given = successors[turn % len(successors)].pk
            turn += 1
        found[given].append(pk)
    return [(people[pk], ids) for pk, ids in found.items()]
