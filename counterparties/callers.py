"""Who calls: contacts, counterparties and records of the areas above that a number reaches.

    calling = who_calls("sip:0048601234567@exchange", by=user)
    calling.number, [known.record for known in calling.known]

One query for each kind, on the indexed numbers in E.164; see `register_callers`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet

from counterparties.models import ContactPoint
from crm.people.access import kind_label
from crm.people.fields import mask
from crm.people.kinds import RecordKind, kind_of
from crm.people.phones import normalise_phone
from crm.people.prepared import Prepared
from crm.people.visibility import OwnedRecord

MOST = 20
LONGEST = 200
_INTERNAL = range(2, 7)
# What exchanges send for a caller who does not show his number; the digits spell ANONYMOUS on a telephone's keys.
_WITHHELD = {"anonymous", "unavailable", "unknown", "private", "withheld", "restricted", "266696687"}
_SCHEME = re.compile(r"^(?:sips?|tel):", re.IGNORECASE)
_REST = re.compile(r"[@;<>].*$", re.DOTALL)


@dataclass(frozen=True)
class CallerNumber:
    """What an exchange's number means: E.164, an internal number, or neither where the caller withholds it."""

    e164: str = ""
    internal: str = ""
    is_withheld: bool = False


@dataclass(frozen=True)
class Known:
    """A record the number reaches. Of one that the reader does not see only its kind and owner may be told."""

    record: OwnedRecord
    kind: RecordKind
    is_visible: bool

    @property
    def url(self) -> str:
        return self.kind.url(self.record.pk) if self.is_visible else ""


@dataclass(frozen=True)
class Calling:
    """The number as it was read, and whom it reaches: what the reader sees first, each kind's newest first."""

    number: CallerNumber
    known: list[Known] = field(default_factory=list)

    @property
    def seen(self) -> list[OwnedRecord]:
        return [one.record for one in self.known if one.is_visible]


_models: list[tuple[int, type[OwnedRecord], Callable[[str], Q]]] = []


def register_callers(model: type[OwnedRecord], order: int, holding: Callable[[str], Q] | None = None) -> None:
    """Called from an area's `AppConfig.ready()`: its records with a `phone` are looked for, in this order of kinds.

    `holding(number)`: the condition that a record has the number, by default its first or one of its further ones.
    """
    _models[:] = [entry for entry in _models if entry[1] is not model]
    _models.append((order, model, holding or reached_by(model)))
    _models.sort(key=lambda entry: entry[0])


def first_phone(number: str) -> Q:
    """The condition on records that have one phone only."""
    # The partial indexes hold no empty values, and SQLite uses them only when the query says so too.
    return Q(phone=number) & ~Q(phone="")


def reached_by(model: type[models.Model]) -> Callable[[str], Q]:
    """The condition on records with further phones as points."""

    def holding(number: str) -> Q:
        points = ContactPoint.objects.filter(channel="phone", value=number, record_kind=kind_label(model))
        first = model._base_manager.filter(first_phone(number))
        return Q(pk__in=first.values("pk").union(points.values("record_id")))

    return holding


def who_calls(number: object, *, by, region: str = "") -> Calling:
    """Whom the number reaches, at most MOST of a kind. `region`: whose notation it has, if not the company's country's.

    A kind whose phones are hidden from the reader is not asked: its answer would tell him a number.
    """
    read = read_caller(number, region)
    if not read.e164:
        return Calling(read)
    known: list[Known] = []
    for _order, model, holding in _models:
        if "phone" not in by.access.hidden_fields(model):
            known += _known(model, holding(read.e164), by)
    mask(by, [one.record for one in known])
    return Calling(read, sorted(known, key=lambda one: not one.is_visible))


def holders(number: str, *, by) -> list[OwnedRecord]:
    """Every record that has the number (E.164), whoever sees it: at most MOST of a kind, each kind's newest first.

    As with `who_calls`, a kind whose phones are hidden from `by` is not asked.
    """
    found: list[OwnedRecord] = []
    for _order, model, holding in _models:
        if "phone" in by.access.hidden_fields(model):
            continue
        if pks := [pk for (pk,) in _holding(model, holding).rows(number)]:
            found += model._base_manager.filter(pk__in=pks).order_by("-pk")
    return found


@cache
def _holding(model: type[OwnedRecord], holding: Callable[[str], Q]) -> Prepared:
    def build(number: str) -> QuerySet:
        rows = model._base_manager.filter(holding(number), deleted_at=None)
        return rows.order_by("-pk").values_list("pk")[:MOST]

    return Prepared(build, 0, texts=1)


def _known(model: type[OwnedRecord], condition: Q, by) -> list[Known]:
    seen = Exists(model.objects.visible_to(by).filter(pk=OuterRef("pk")).order_by())
    rows: QuerySet = model._base_manager.filter(condition, deleted_at=None).select_related("owner")
    found = list(rows.annotate(is_seen=seen).order_by("-is_seen", "-pk")[:MOST])
    return [Known(record, kind_of(record), record.is_seen) for record in found]


def read_caller(text: object, region: str = "") -> CallerNumber:
    """The number in whatever an exchange sends: an address of SIP, a link, any notation, or a word for "withheld"."""
    written = (
        unicodedata.normalize("NFKC", str(text if text is not None else ""))[:LONGEST].strip().strip("<>\"'")
    )
    written = _REST.sub("", _SCHEME.sub("", written)).strip()
    digits = "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in written)
    if digits.lower().lstrip("+") in _WITHHELD or not any(char.isdigit() for char in digits):
        return CallerNumber(is_withheld=True)
    if number := normalise_phone(digits, region):
        return CallerNumber(e164=number)
    bare = re.sub(r"[\s*#.\-]", "", digits)
    return CallerNumber(internal=bare) if bare.isdigit() and len(bare) in _INTERNAL else CallerNumber()
