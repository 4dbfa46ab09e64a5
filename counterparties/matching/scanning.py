"""Looking through everything for duplicates: in small resumable slices, by keys that likely pairs share.

Records are compared only where they share a key, and a key that more than `BLOCK` records share is passed over.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import Count, Q
from django.utils import timezone

from counterparties.matching.keys import Traits, index_records, matchable_kinds, sought_keys
from counterparties.matching.models import MatchKey, MatchPair, PairStatus, Scan
from counterparties.matching.reading import read_traits, traits_of_record, with_type
from counterparties.matching.scoring import CONTACT, COUNTERPARTY, ScoringTable
from crm.jobs.services import enqueue, open_job
from crm.people.kinds import kind_named

BLOCK = 40
BATCH = 200
# Of one record at most so many others are looked at, those that share the most.
PARTNERS = 60
SEGMENTS, MOST_SEGMENTS = ("s:", "q:"), 5
JOB, INDEX_JOB = "matching.scan", "matching.index"
# People share phones and mailboxes with their company: such pairs are shown while typing, not put into the queue.
UNQUEUED = {CONTACT, COUNTERPARTY}


@transaction.atomic
def request_scan(*, by, is_full: bool = False):
    """Has everything, or what changed since the last scan, looked through by a job."""
    if running := open_job(kind=JOB, key="scan"):
        return running
    return enqueue(kind=JOB, key="scan", args={"is_full": is_full}, by=by)


def last_scan() -> Scan | None:
    return Scan.objects.filter(finished_at__isnull=False).order_by("-id").first()


def batches(kind: str, after: int, since: datetime | None) -> list[models.Model]:
    """The next BATCH standing records of a kind by id, changed since a moment where one is given."""
    rows = kind_named(kind).model._base_manager.filter(deleted_at=None, pk__gt=after)
    if since is not None:
        rows = rows.filter(updated_at__gte=since)
    return list(with_type(rows.order_by("pk"))[:BATCH])


def index_batch(kind: str, records: list[models.Model]) -> dict[int, Traits]:
    traits = {record.pk: traits_of_record(kind, record) for record in records}
    index_records(kind, traits)
    return traits


def crowded_keys() -> frozenset[str]:
    """Keys that tell nothing, since too many records stand under them."""
    rows = MatchKey.objects.values("key").annotate(count=Count("pk")).filter(count__gt=BLOCK).order_by()
    return frozenset(rows.values_list("key", flat=True))


@dataclass
class Comparing:
    """One scan's comparing: `crowded` keys are passed over; in a full scan each pair is met once."""

    scan: Scan
    table: ScoringTable
    crowded: frozenset[str]

    def compare(self, kind: str, traits: dict[int, Traits]) -> int:
        """Finds and writes the pairs of a batch; how many there are. Pairs that are none any more go."""
        partners = self._partners(kind, traits)
        others = self._read({key for found in partners.values() for key in found}, kind, traits)
        rows = []
        for pk, found in partners.items():
            for label, other in found:
                if (label, other) not in others:
                    continue
                if label in traits[pk].settled_with or kind in others[label, other].settled_with:
                    continue
                score = self.table.score(kind, traits[pk], label, others[label, other])
                if score.level:
                    rows.append(self._row((kind, pk), (label, other), score))
        self._write(kind, list(traits), rows)
        return len(rows)

    def _partners(self, kind: str, traits: dict[int, Traits]) -> dict[int, set[tuple[str, int]]]:
        asked: dict[str, list[int]] = defaultdict(list)
        for pk, one in traits.items():
            strong, weak = sought_keys(one)
            for key in (strong | weak) - self.crowded:
                asked[key].append(pk)
        found: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
        rows = MatchKey.objects.filter(key__in=list(asked)).values_list("key", "kind", "record_id")
        for key, label, other in rows:
            if label != kind and {label, kind} == UNQUEUED:
                continue
            for pk in asked[key]:
                if (label, other) != (kind, pk) and (not self.scan.is_full or (label, other) > (kind, pk)):
                    found[pk][label, other] += 1 if key[:2] in SEGMENTS else MOST_SEGMENTS
        return {pk: {key for key, _count in hits.most_common(PARTNERS)} for pk, hits in found.items()}

    @staticmethod
    def _read(
        wanted: set[tuple[str, int]], kind: str, own: dict[int, Traits]
    ) -> dict[tuple[str, int], Traits]:
        missing: dict[str, list[int]] = defaultdict(list)
        for label, pk in wanted:
            if label != kind or pk not in own:
                missing[label].append(pk)
        found = {(kind, pk): traits for pk, traits in own.items()}
        for label, pks in missing.items():
            found |= {(label, pk): traits for pk, traits in read_traits(label, pks).items()}
        return found

    def _row(self, one: tuple[str, int], other: tuple[str, int], score) -> MatchPair:
        (first_kind, first_id), (second_kind, second_id) = sorted([one, other])
        return MatchPair(
            first_kind=first_kind, first_id=first_id, second_kind=second_kind, second_id=second_id,
            score=score.points, is_certain=score.is_certain, reasons=list(score.reasons), scan=self.scan,
        )  # fmt: skip

    def _write(self, kind: str, pks: list[int], rows: list[MatchPair]) -> None:
        unique = {(row.first_kind, row.first_id, row.second_kind, row.second_id): row for row in rows}
        MatchPair.objects.bulk_create(
            unique.values(),
            update_conflicts=True,
            unique_fields=["first_kind", "first_id", "second_kind", "second_id"],
            update_fields=["score", "is_certain", "reasons", "scan"],
        )
        mine = Q(first_kind=kind, first_id__in=pks)
        if not self.scan.is_full:
            mine |= Q(second_kind=kind, second_id__in=pks)
        undecided = MatchPair.objects.filter(mine, status__in=(PairStatus.OPEN, PairStatus.LATER))
        undecided.exclude(scan=self.scan).delete()


def begin_scan(is_full: bool) -> Scan:
    return Scan.objects.create(is_full=is_full or last_scan() is None)


def since_of(scan: Scan) -> datetime | None:
    """From which moment on records count as changed; None for a full scan."""
    last = None if scan.is_full else last_scan()
    return last.started_at if last else None


def end_scan(scan: Scan, compared: int) -> Scan:
    scan.compared, scan.finished_at = compared, timezone.now()
    scan.found = MatchPair.objects.filter(scan=scan).count()
    scan.save(update_fields=["compared", "finished_at", "found"])
    return scan


def all_kinds_after(kind: str) -> list[str]:
    """The kinds from `kind` on; all for an empty one."""
    kinds = matchable_kinds()
    return kinds[kinds.index(kind) :] if kind in kinds else kinds
