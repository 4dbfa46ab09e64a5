"""How the telephone is answered: by person and by hour of the day, of the calls that the reader may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from django.db.models import Avg, Count, Q, Sum
from django.db.models.functions import ExtractHour
from django.utils import timezone

from crm.listing.periods import span, start_of
from crm.people.models import User
from telephony.lists import TABS, duration
from telephony.models import Call, Direction, MissedCall, State
from telephony.models.calls import Ending

PERIODS = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "this_year",
)
_ANSWERED = Q(direction=Direction.INCOMING, result=Ending.ANSWERED)
_COUNTS = {
    "answered": Count("pk", filter=_ANSWERED),
    "unanswered": Count("pk", filter=TABS["missed"][1]),
    "called": Count("pk", filter=Q(direction=Direction.OUTGOING)),
    "reached": Count("pk", filter=Q(direction=Direction.OUTGOING, result=Ending.ANSWERED)),
}


@dataclass(frozen=True)
class Figures:
    """Counts of calls; `wait`: seconds until an answer, on average; `talk`: seconds in all.

    `answered` and `missed` came in, `called` went out and `reached` somebody; `returned`: of the missed, those whose
    caller was spoken with afterwards.
    """

    answered: int = 0
    missed: int = 0
    called: int = 0
    reached: int = 0
    wait: float | None = None
    talk: int = 0
    returned: int = 0

    @property
    def wait_text(self) -> str:
        return duration(round(self.wait or 0))

    @property
    def talk_text(self) -> str:
        return duration(self.talk)

    @property
    def returned_share(self) -> int | None:
        """Per cent of the missed, None where nothing was missed."""
        return round(100 * self.returned / self.missed) if self.missed else None


@dataclass(frozen=True)
class PersonLine:
    """One person's figures; `person` is None for calls that nobody owns."""

    person: User | None
    figures: Figures


@dataclass(frozen=True)
class HourLine:
    """One hour of the day, in the reader's zone."""

    hour: int
    figures: Figures

    @property
    def incoming(self) -> int:
        return self.figures.answered + self.figures.missed


@dataclass(frozen=True)
class Statistics:
    """`people`: everybody with calls, whoever was chosen; `hours` and `whole`: of the chosen one."""

    people: list[PersonLine]
    hours: list[HourLine]
    whole: Figures

    @property
    def busiest(self) -> HourLine | None:
        found = max(self.hours, key=lambda line: line.incoming, default=None)
        return found if found and found.incoming else None


def read_statistics(user, period: str, person: int | None = None) -> Statistics:
    """Two queries, however many calls: each call is read once. `person`: the id of one, None for all."""
    first, end = span(period)
    calls = Call.objects.visible_to(user).order_by().filter(
        state=State.ENDED, started_at__gte=start_of(first), started_at__lt=start_of(end)
    )  # fmt: skip
    returned = Count("pk", filter=TABS["missed"][1] & Q(missed__status=MissedCall.Status.REACHED))
    hour = ExtractHour("started_at", tzinfo=timezone.get_current_timezone())
    rows = (
        calls.annotate(hour=hour)
        .values_list("owner", "hour")
        .annotate(
            **_COUNTS, wait=Avg("wait_seconds", filter=_ANSWERED), talk=Sum("talk_seconds"), returned=returned
        )
    )
    found = {(owner, hour): Figures(*figures) for owner, hour, *figures in rows}
    owners = {owner for owner, _hour in found}
    names = User.objects.in_bulk([pk for pk in owners if pk is not None])
    people = [
        PersonLine(names.get(pk), _sum(one for (owner, _hour), one in found.items() if owner == pk))
        for pk in owners
    ]
    people.sort(key=lambda line: (line.person is None, str(line.person)))
    chosen = {key: one for key, one in found.items() if person in {None, key[0]}}
    hours = [
        HourLine(hour, _sum(one for (_owner, at), one in chosen.items() if at == hour)) for hour in range(24)
    ]
    return Statistics(people, hours, _sum(chosen.values()))


def _sum(all_figures: Iterable[Figures]) -> Figures:
    several = list(all_figures)
    counts = {
        one.name: sum(getattr(figures, one.name) for figures in several)
        for one in fields(Figures)
        if one.name != "wait"
    }
    waits = sum((figures.wait or 0) * figures.answered for figures in several)
    return Figures(**counts, wait=waits / counts["answered"] if counts["answered"] else None)
