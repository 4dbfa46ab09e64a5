"""How alike two records are: points by the table an administrator edits, and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from counterparties.matching.keys import Traits, errors_allowed, squeezed
from counterparties.matching.models import FEATURES, Scope, ScoringRow

CONTACT, COUNTERPARTY, LEAD = "counterparties.contact", "counterparties.counterparty", "leads.lead"
SCOPES = {
    (COUNTERPARTY, COUNTERPARTY): Scope.COUNTERPARTIES,
    (CONTACT, CONTACT): Scope.CONTACTS,
    (LEAD, LEAD): Scope.LEADS,
    (COUNTERPARTY, LEAD): Scope.LEAD_COUNTERPARTY,
    (CONTACT, LEAD): Scope.LEAD_CONTACT,
    (CONTACT, COUNTERPARTY): Scope.CONTACT_COUNTERPARTY,
}
LABELS = {
    "tax_number": _("the same tax number"),
    "tax_number_differs": _("different tax numbers"),
    "phone": _("the same phone"),
    "email": _("the same e-mail"),
    "domain": _("the same e-mail domain"),
    "name": _("the same name"),
    "name_similar": _("a similar name"),
    "person": _("the same person's name"),
    "person_similar": _("a similar person's name"),
    "website": _("the same website"),
    "city": _("the same city"),
}
_ORGANISATIONS = {
    "tax_number": 90, "tax_number_differs": -60, "phone": 50, "email": 60, "domain": 25, "name": 60,
    "name_similar": 50, "website": 35, "city": 10,
}  # fmt: skip
# Which points a new installation starts with.
STANDARD: dict[str, dict[str, int]] = {
    Scope.COUNTERPARTIES: _ORGANISATIONS,
    Scope.LEAD_COUNTERPARTY: _ORGANISATIONS,
    Scope.LEADS: {**_ORGANISATIONS, "person": 20, "person_similar": 10},
    Scope.CONTACTS: {"phone": 50, "email": 70, "domain": 10, "person": 50, "person_similar": 40, "city": 10},
    Scope.LEAD_CONTACT: {
        "phone": 50,
        "email": 60,
        "domain": 10,
        "person": 40,
        "person_similar": 30,
        "city": 10,
    },
    # People share the phone and the mailbox of their company: only the name makes them the same.
    Scope.CONTACT_COUNTERPARTY: {"phone": 20, "email": 20, "person": 50, "person_similar": 40, "city": 10},
}
# What tells something by itself; the rest only adds to it.
_LEADING = {
    "tax_number",
    "phone",
    "email",
    "domain",
    "name",
    "name_similar",
    "person",
    "person_similar",
    "website",
}


@dataclass(frozen=True)
class Score:
    """`points` by `reasons` (features, the strongest first). `level`: certain, possible, or empty."""

    points: int
    reasons: tuple[str, ...]
    level: str

    @property
    def is_certain(self) -> bool:
        return self.level == "certain"


NOTHING = Score(0, (), "")


class ScoringTable:
    """The rows of the table, read once; a scope without a row counts as the standard says."""

    def __init__(self, rows: Iterable[ScoringRow] | None = None) -> None:
        found = {row.scope: row for row in (ScoringRow.objects.all() if rows is None else rows)}
        self.rows = {scope: found.get(scope) or standard_row(scope) for scope in Scope.values}

    def row(self, kind: str, other: str) -> ScoringRow:
        a, b = sorted([kind, other])
        return self.rows[SCOPES[a, b]]

    def score(self, kind: str, traits: Traits, other: str, others: Traits) -> Score:
        """How much speaks for the two being the same."""
        row = self.row(kind, other)
        given = {name: getattr(row, name) for name in features(traits, others)}
        given = {name: points for name, points in given.items() if points}
        if not _LEADING & {name for name, points in given.items() if points > 0}:
            return NOTHING
        total = sum(given.values())
        reasons = tuple(sorted(given, key=lambda name: (-given[name], FEATURES.index(name))))
        level = "certain" if total >= row.certain else "possible" if total >= row.possible else ""
        return Score(total, reasons, level)


def standard_row(scope: str) -> ScoringRow:
    return ScoringRow(scope=scope, **STANDARD[scope])


def features(one: Traits, other: Traits) -> list[str]:
    """What two records have in common, or what parts them."""
    found = []
    if one.tax_numbers & other.tax_numbers:
        found.append("tax_number")
    elif one.tax_numbers and other.tax_numbers:
        found.append("tax_number_differs")
    if one.phones & other.phones:
        found.append("phone")
    if one.emails & other.emails:
        found.append("email")
    elif one.domains & other.domains:
        found.append("domain")
    found += _names("name", one.names, other.names)
    found += _names("person", one.persons, other.persons)
    if one.websites & other.websites:
        found.append("website")
    if one.cities & other.cities:
        found.append("city")
    return found


def _names(feature: str, one: frozenset[str], other: frozenset[str]) -> list[str]:
    if one & other:
        return [feature]
    return [f"{feature}_similar"] if any(are_similar(a, b) for a in one for b in other) else []


def are_similar(one: str, other: str) -> bool:
    """A few typing errors apart by the length of the shorter name, or the same words and one more."""
    a, b = squeezed(one), squeezed(other)
    allowed = min(errors_allowed(len(a)), errors_allowed(len(b)))
    if allowed and abs(len(a) - len(b)) <= allowed and distance(a, b, allowed) <= allowed:
        return True
    words, more = sorted([set(one.split()), set(other.split())], key=len)
    return words < more and len(more) == len(words) + 1 and len(max(words, key=len, default="")) > 4


def distance(one: str, other: str, most: int) -> int:
    """How many letters must be put in, taken out or changed; anything above `most` is `most + 1`."""
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, start=1):
        current = [row]
        for column, against in enumerate(other, start=1):
            change = previous[column - 1] + (letter != against)
            current.append(min(change, previous[column] + 1, current[-1] + 1))
        if min(current) > most:
            return most + 1
        previous = current
    return previous[-1]
