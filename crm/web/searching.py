"""Search over every kind that keeps a folded text and that the reader may view, best hits first."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.db.models import QuerySet, Value

from crm.people.fields import mask
from crm.people.folding import fold
from crm.people.fragments import Beginning
from crm.people.kinds import RecordKind, all_kinds, visible_pairs
from crm.people.search import digits_of, hides_text, matching, starting

SHOWN = 8
RECENT = 8
MOST_TEXT = 100
# Of each kind so many of the newest matches are ranked, and so many whose name begins with what was typed.
CANDIDATES = 24
BEGINNINGS = 8
# So many digits name one telephone or one taxpayer.
WHOLE_NUMBER = 9

Pair = tuple[str, int]


@dataclass(frozen=True)
class Hit:
    """A record as search shows it. `rank`: the smaller, the better."""

    text: str
    url: str
    icon: str = ""
    summary: str = ""
    rank: tuple = ()


@dataclass(frozen=True)
class Group:
    """The best hits of one kind; `more` says whether there are others."""

    kind: RecordKind
    hits: list[Hit]
    more: bool


def find(user, query: str, *, shown: int = SHOWN, recent: Collection[Pair] = ()) -> list[Group]:
    """The records that hold every word of *query*, or its number in whichever notation; the best kind first.

    *recent*: (kind, id) of what the reader looked at lately; it comes before its equals.
    """
    wanted = fold(query[:MOST_TEXT])
    if not wanted:
        return []
    groups = []
    for kind, records in _candidates(user, wanted, recent):
        ranked = _ranked(user, kind, records, wanted, recent)
        hits = [_hit(user, kind, record, rank) for rank, record in ranked[:shown]]
        groups.append(Group(kind, hits, len(ranked) > shown))
    return sorted(groups, key=lambda group: group.hits[0].rank)


def looked_at(user, recent: list[Pair]) -> list[Hit]:
    """Those of the records the reader may still see, in the same order."""
    seen = visible_pairs(user, recent[:RECENT])
    kinds = {kind.label: kind for kind in all_kinds()}
    return [_hit(user, kinds[pair[0]], seen[pair]) for pair in recent if pair in seen]


def _hit(user, kind: RecordKind, record, rank: tuple = ()) -> Hit:
    mask(user, [record])
    summary = kind.summary(record) if kind.summary else ""
    return Hit(str(record), kind.url(record.pk), kind.icon, summary, rank)


def _ranked(
    user, kind: RecordKind, records: Iterable, wanted: str, recent: Collection[Pair]
) -> list[tuple[tuple, object]]:
    """The records of a kind with their ranks, best first."""
    by_name = hides_text(user, kind.model)
    rows = []
    for record in records:
        closeness = _closeness(wanted, fold(str(record)), "" if by_name else record.search_text)
        unseen = (kind.label, record.pk) not in recent
        foreign = getattr(record, "owner_id", None) != user.pk
        closed = not getattr(record, "is_open", True)
        rows.append(((closeness, unseen, foreign, closed), record))
    return sorted(rows, key=lambda row: row[0])


def _candidates(user, wanted: str, recent: Collection[Pair]) -> Iterator[tuple[RecordKind, QuerySet]]:
    """The kinds that hold candidates, each with these: one query names them all, one for each kind reads them."""
    kinds = {
        kind.label: kind for kind in all_kinds() if kind.searchable and user.access.may(kind.label, "view")
    }
    parts = [part for kind in kinds.values() for part in _named(user, kind, wanted, recent)]
    if not parts:
        return
    found: dict[str, set[int]] = {}
    for label, pk in parts[0].union(*parts[1:], all=True):
        found.setdefault(label, set()).add(pk)
    for label, pks in found.items():
        kind = kinds[label]
        rows = (
            kind.model.objects.select_related(*kind.summary_related)
            if kind.summary_related
            else kind.model.objects
        )
        yield kind, rows.filter(pk__in=pks).order_by("-pk")


def _named(user, kind: RecordKind, wanted: str, recent: Collection[Pair]) -> list[QuerySet]:
    """The newest matches, the first whose name begins so, and those looked at lately: bounded, whatever was typed."""
    visible = kind.visible(user).order_by("-pk").values("pk")
    matches = visible.filter(matching(wanted, user, kind.model))
    begun = visible.filter(starting(wanted, user, kind.model)).order_by(Beginning("search_text"))
    parts = [matches[:CANDIDATES], begun[:BEGINNINGS]]
    if pks := [pk for label, pk in recent if label == kind.label]:
        parts.append(matches.filter(pk__in=pks))
    return [
        kind.model.objects.order_by().filter(pk__in=part).values_list(Value(kind.label), "pk")
        for part in parts
    ]


def _closeness(wanted: str, title: str, text: str) -> int:
    """0 the very name or number, 1 the name begins so, 2 words of the name begin so, 3 words elsewhere, 4 inside."""
    if wanted == title or _is_number(wanted, text):
        return 0
    if title.startswith(wanted):
        return 1
    words = wanted.split()
    if _begin(words, title):
        return 2
    return 3 if _begin(words, text) else 4


def _is_number(wanted: str, text: str) -> bool:
    tokens = text.split()
    if wanted in tokens and not wanted.isalpha():
        return True
    digits = digits_of(wanted)
    return len(digits) >= WHOLE_NUMBER and any(token.endswith(digits) for token in tokens)


def _begin(words: list[str], text: str) -> bool:
    padded = f" {text}"
    return all(f" {word}" in padded for word in words)
