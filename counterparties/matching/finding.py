"""Finding the records that are like the one being typed, whatever their kind: five queries in all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from counterparties.matching.keys import Traits, matchable_kinds, sought_keys
from counterparties.matching.models import MatchKey
from counterparties.matching.reading import traits_of_record, with_type
from counterparties.matching.scoring import LABELS, Score, ScoringTable
from crm.people.fields import mask
from crm.people.kinds import RecordKind, kind_named
from crm.people.visibility import OwnedRecord

_PARTS = {
    "tax_number": ("tax_numbers",),
    "phone": ("phones",),
    "phones": ("phones",),
    "email": ("emails", "domains"),
    "emails": ("emails", "domains"),
    "website": ("websites", "domains"),
    "city": ("cities",),
}
MOST_STRONG, MOST_WEAK, WEIGHED, SHOWN = 300, 120, 40, 8


@dataclass(frozen=True)
class Match:
    """A record like the one typed. Of an invisible one only its kind, that it exists, and its owner may be told."""

    record: OwnedRecord
    kind: RecordKind
    score: Score
    is_visible: bool

    @property
    def url(self) -> str:
        return self.kind.url(self.record.pk) if self.is_visible else ""

    @property
    def reasons(self) -> str:
        """What is the same, in words, the strongest first; what speaks against it is left to the points."""
        return ", ".join(str(LABELS[name]) for name in self.score.reasons if name != "tax_number_differs")


def find_matches(
    user, kind: str, traits: Traits, *, exclude: int | None = None, kinds: Iterable[str] | None = None
) -> list[Match]:
    """At most SHOWN records that may be the same, the likeliest first. `exclude`: the record itself."""
    if traits.is_empty:
        return []
    wanted = set(kinds or matchable_kinds())
    candidates = _candidates(traits, wanted, (kind, exclude))
    if not candidates:
        return []
    table, found = ScoringTable(), []
    for label in sorted({label for label, _pk in candidates}):
        pks = [pk for other, pk in candidates if other == label]
        hidden = user.access.hidden_fields(label)
        for record in _records(user, label, pks):
            score = table.score(kind, traits, label, told(traits_of_record(label, record), hidden))
            if score.level:
                found.append(Match(record, kind_named(label), score, record.is_seen))
    found.sort(key=lambda match: (-match.score.points, match.kind.label, -match.record.pk))
    found = found[:SHOWN]
    mask(user, [match.record for match in found])
    return found


def told(traits: Traits, hidden: frozenset[str]) -> Traits:
    """Without what the reader must not learn: that a hidden number is the same would tell him the number."""
    empty = {part: frozenset() for name, parts in _PARTS.items() if name in hidden for part in parts}
    return replace(traits, **empty) if empty else traits


def _candidates(traits: Traits, kinds: set[str], own: tuple[str, int | None]) -> list[tuple[str, int]]:
    strong, weak = sought_keys(traits)
    hits: Counter[tuple[str, int]] = Counter()
    for keys, most, weight in ((strong, MOST_STRONG, 3), (weak, MOST_WEAK, 1)):
        if keys:
            rows = MatchKey.objects.filter(key__in=keys, kind__in=kinds)
            for label, pk in rows.values_list("kind", "record_id")[:most]:
                hits[label, pk] += weight
    hits.pop(own, None)
    return [key for key, _count in hits.most_common(WEIGHED)]


def _records(user, label: str, pks: list[int]) -> list[OwnedRecord]:
    model = kind_named(label).model
    seen = Exists(model.objects.visible_to(user).filter(pk=OuterRef("pk")))
    rows = with_type(model._base_manager.filter(pk__in=pks, deleted_at=None).select_related("owner"))
    return list(rows.annotate(is_seen=seen))
