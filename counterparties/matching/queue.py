"""The queue of pairs that a scan has found: who reads it, and deciding about a pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from counterparties.matching.models import MatchPair, PairStatus
from counterparties.matching.registry import merge_kind
from counterparties.matching.scoring import LABELS
from crm.people.fields import mask
from crm.people.kinds import RecordKind, kind_named, visible_pairs
from crm.people.visibility import OwnedRecord

PAGE = 30
DECISIONS = (PairStatus.DIFFERENT, PairStatus.LATER, PairStatus.OPEN)
MIXED = "mixed"
# A hidden field must not be told by the reason that it is the same.
_FIELDS = {
    "tax_number": "tax_number",
    "tax_number_differs": "tax_number",
    "phone": "phone",
    "email": "email",
    "domain": "email",
}


@dataclass(frozen=True)
class Side:
    """One record of a pair, with what tells it from the other."""

    kind: RecordKind
    record: OwnedRecord

    @property
    def url(self) -> str:
        return self.kind.url(self.record.pk)

    @property
    def facts(self) -> list[str]:
        names = ("tax_number", "phone", "email", "city")
        return [str(value) for name in names if (value := getattr(self.record, name, ""))]


@dataclass(frozen=True)
class Line:
    """A pair as the queue shows it. `lead`: the lead of a pair of different kinds, which may be marked."""

    pair: MatchPair
    sides: tuple[Side, Side]
    reasons: str

    @property
    def is_mergeable(self) -> bool:
        return self.pair.first_kind == self.pair.second_kind and merge_kind(self.pair.first_kind) is not None

    @property
    def lead(self) -> OwnedRecord | None:
        """An open lead that stands beside a client or contact: it can be marked as a duplicate."""
        if self.is_mergeable:
            return None
        side = next((one for one in self.sides if one.kind.label == "leads.lead"), None)
        return side.record if side and side.record.is_open else None

    @property
    def other(self) -> OwnedRecord:
        """The record beside the lead."""
        return next(one.record for one in self.sides if one.kind.label != "leads.lead")


class Queue:
    """One page of the pairs of which the reader sees both, the surest first.

    Filters `kind` (a kind's label or MIXED), `sure` (1), `status`; the place is `after` (points and id).
    """

    def __init__(self, user, params: Mapping[str, str]) -> None:
        self.user = user
        self.status = params.get("status", "")
        if self.status not in (PairStatus.LATER, PairStatus.DIFFERENT):
            self.status = PairStatus.OPEN
        self.kind = params.get("kind", "")
        self.is_sure = params.get("sure") == "1"
        rows = MatchPair.objects.filter(status=self.status)
        if self.kind == MIXED:
            rows = rows.exclude(first_kind=F("second_kind"))
        elif merge_kind(self.kind):
            rows = rows.filter(first_kind=self.kind, second_kind=self.kind)
        else:
            self.kind = ""
        if self.is_sure:
            rows = rows.filter(is_certain=True)
        rows = _after(rows, params.get("after", "")).visible_to(user)
        found = list(rows.order_by("-score", "-id")[: PAGE + 1])
        self.lines = _lines(user, found[:PAGE])
        last = found[PAGE - 1] if len(found) > PAGE else None
        self.next_cursor = f"{last.score}_{last.pk}" if last else ""


def _after(rows, cursor: str):
    score, _sign, pk = cursor.partition("_")
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return rows
    if not (score.isascii() and score.removeprefix("-").isdecimal() and len(score) < 7):
        return rows
    return rows.filter(Q(score__lt=int(score)) | Q(score=int(score), pk__lt=int(pk)))


def _lines(user, pairs: list[MatchPair]) -> list[Line]:
    keys = [key for pair in pairs for key in _keys(pair)]
    seen = visible_pairs(user, keys)
    mask(user, seen.values())
    hidden = {label: user.access.hidden_fields(label) for label, _pk in seen}
    lines = []
    for pair in pairs:
        one, other = (Side(kind_named(label), seen[label, pk]) for label, pk in _keys(pair))
        kept = hidden[pair.first_kind] | hidden[pair.second_kind]
        reasons = [
            str(LABELS[name])
            for name in pair.reasons
            if name in LABELS and _FIELDS.get(name, name) not in kept
        ]
        lines.append(Line(pair, (one, other), ", ".join(reasons)))
    return lines


def _keys(pair: MatchPair) -> tuple[tuple[str, int], tuple[str, int]]:
    return (pair.first_kind, pair.first_id), (pair.second_kind, pair.second_id)


@transaction.atomic
def decide(*, pair: MatchPair, status: str, by) -> MatchPair:
    """Remembers that a pair is no duplicate, is to wait, or is to be decided anew.

    Raises PermissionDenied without the right to edit one of the two, ValidationError once they are one.
    """
    if status not in DECISIONS:
        raise ValidationError(_("Choose one of the offered values."))
    editable = [kind_named(label).visible(by, "edit").filter(pk=pk).exists() for label, pk in _keys(pair)]
    if not any(editable):
        raise PermissionDenied
    open_pairs = MatchPair.objects.filter(pk=pair.pk).exclude(status=PairStatus.SETTLED)
    if not open_pairs.update(status=status, decided_by=by, decided_at=timezone.now()):
        raise ValidationError(_("This pair has been decided already."))
    pair.refresh_from_db()
    return pair
