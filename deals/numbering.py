"""Numbers of deals: no two the same, each taken in the transaction that makes the deal.

A pattern is text around `{number}` or `{number:4}` (so many digits at least), with `{year}` and `{month}` where
wanted. Whatever stands around the number has a counter of its own: a pattern with `{year}` begins anew every year,
one without runs on. A counter begins after the highest number there is.

Gaps: a deal that is not made after all takes no number. A deal in the recycle bin keeps its number, unless a file
brings a deal of that number; one that is erased leaves a gap, which nothing fills. A number that a file brought is
passed over. A new pattern holds for new deals: those that are there keep the number they are known by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from crm.history.services import FieldChange, record_event
from crm.people.company import company_time_zone
from deals.models import Deal, DealSettings, DealType, NumberCounter
from deals.patterns import split_pattern


@dataclass(frozen=True)
class Frame:
    """What stands around a number on a day, and how many digits it has at least."""

    before: str
    after: str
    digits: int

    def show(self, number: int) -> str:
        return f"{self.before}{number:0{self.digits}d}{self.after}"

    def read(self, text: str) -> int:
        """The number in such a text, 0 where there is none."""
        inner = text[len(self.before) : len(text) - len(self.after)]
        fits = text.startswith(self.before) and text.endswith(self.after) and 0 < len(inner) <= 9
        return int(inner) if fits and inner.isascii() and inner.isdecimal() else 0


def frame_of(pattern: str, day: date) -> Frame:
    before, digits, after = split_pattern(pattern)
    words = {"{year}": f"{day.year:04d}", "{month}": f"{day.month:02d}"}
    for word, meaning in words.items():
        before, after = before.replace(word, meaning), after.replace(word, meaning)
    return Frame(before, after, digits)


def pattern_of(deal_type: DealType) -> str:
    """The type's own pattern, else that of all deals."""
    return deal_type.number_pattern or DealSettings.read().number_pattern


def today_of_company() -> date:
    return timezone.localdate(timezone=ZoneInfo(company_time_zone()))


def take_number(*, deal_type: DealType) -> str:
    return take_numbers(pattern=pattern_of(deal_type), count=1)[0]


@transaction.atomic
def take_numbers(*, pattern: str, count: int, day: date | None = None) -> list[str]:
    """The next numbers of the pattern, which nobody else gets. Others wait for the end of the transaction."""
    frame, free = frame_of(pattern, day or today_of_company()), []
    while missing := count - len(free):
        last = _advance(frame, missing)
        found = [frame.show(number) for number in range(last - missing + 1, last + 1)]
        taken = set(Deal.objects.filter(number__in=found).values_list("number", flat=True))
        free += [number for number in found if number not in taken]
    return free


def _advance(frame: Frame, count: int) -> int:
    """Moves the counter on and locks it; where it stands then."""
    counters = NumberCounter.objects.filter(before=frame.before, after=frame.after)
    if not counters.exists():
        begun = NumberCounter(before=frame.before, after=frame.after, last=highest(frame))
        NumberCounter.objects.bulk_create([begun], ignore_conflicts=True)
    counter = counters.select_for_update().get()
    counters.update(last=F("last") + count)
    return counter.last + count


def highest(frame: Frame) -> int:
    """The highest number in use, those of deals in the bin too; 0 for none."""
    rows = Deal.objects.filter(number__startswith=frame.before, number__endswith=frame.after).order_by()
    return max(map(frame.read, rows.values_list("number", flat=True).iterator(5000)), default=0)


@transaction.atomic
def number_deals(deals: Iterable[Deal]) -> list[Deal]:
    """Gives a number, and the search text with it, to those that have none; they are not saved. Returns them."""
    by_type: dict[int, list[Deal]] = {}
    for deal in deals:
        if not deal.number:
            by_type.setdefault(deal.deal_type_id, []).append(deal)
    # In one order, so that two batches do not wait for each other's counters.
    by_pattern: dict[str, list[Deal]] = {}
    for same in by_type.values():
        by_pattern.setdefault(pattern_of(same[0].deal_type), []).extend(same)
    for pattern, same in sorted(by_pattern.items()):
        for deal, number in zip(same, take_numbers(pattern=pattern, count=len(same)), strict=True):
            deal.number = number
            deal.refresh_search()
    return [deal for same in by_pattern.values() for deal in same]


@transaction.atomic
def free_numbers_in_bin(*, numbers: Iterable[str], by) -> None:
    """Deals in the bin that `by` may delete give these numbers up; they get another one if they are restored."""
    held = Deal.objects.in_bin(by, "delete").filter(number__in=list(numbers)).select_related("counterparty")
    for deal in held.select_for_update(of=("self",)):
        _renumber(deal, None, by)


@transaction.atomic
def renumber_restored(*, deal: Deal, by) -> None:
    """A deal whose number went to another one while it lay in the bin gets the next one."""
    if deal.number is None:
        _renumber(deal, take_number(deal_type=deal.deal_type), by)


def _renumber(deal: Deal, number: str | None, by) -> None:
    before, deal.number = deal.number, number
    deal.save(update_fields=["number"])
    change = FieldChange("number", gettext_noop("number"), before, number, before or "", number or "")
    record_event(kind="deal_number_changed", subject=deal, by=by, changes=[change])
