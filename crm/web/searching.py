"""Search over every kind that keeps a folded text: one query for each kind the reader may view."""

import re
from dataclasses import dataclass

from crm.people.folding import fold
from crm.people.kinds import RecordKind, all_kinds
from crm.people.search import matching

SHOWN = 8
SHORTEST_NUMBER = 3
PHONE_MARKS = re.compile(r"[\s()+/.-]")


@dataclass(frozen=True)
class Hit:
    text: str
    url: str


@dataclass(frozen=True)
class Group:
    kind: RecordKind
    hits: list[Hit]
    more: bool


def find(user, query: str, *, shown: int = SHOWN) -> list[Group]:
    """Records whose text holds every word of *query*, or a number's digits however they are grouped."""
    if not fold(query):
        return []
    digits = PHONE_MARKS.sub("", query)
    is_number = len(digits) >= SHORTEST_NUMBER and digits.isdecimal()
    groups = []
    for kind in all_kinds():
        if not kind.searchable or not user.access.may(kind.label, "view"):
            continue
        condition = matching(query, user, kind.model)
        if is_number:
            condition |= matching(digits, user, kind.model)
        found = list(kind.visible(user).filter(condition).order_by("-pk")[: shown + 1])
        if found:
            hits = [Hit(str(record), kind.url(record.pk)) for record in found[:shown]]
            groups.append(Group(kind, hits, len(found) > shown))
    return groups
