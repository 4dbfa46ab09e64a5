"""What the columns of a board are: the stages of its funnel, the owners of its deals, or the months they close in."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Exists, F, OuterRef
from django.db.models.functions import TruncMonth
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from crm.listing.assigning import people_to_assign
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.models import User
from deals.gates import gates_of
from deals.models import Deal
from funnel.services import FunnelMap

NONE = "none"
"""The column of the deals without owner or close date."""
MOST_COLUMNS = 60
AHEAD = 12
"""So many months, the present one first, can be chosen for a close date."""


@dataclass
class Column:
    """One column: how many deals, what they are worth by currency, where they may go, and the first tiles.

    `moves`: the keys of the columns its tiles may be dropped on; None where every one that `takes` tiles will do.
    `is_unread`: its tiles are fetched when somebody looks at it.
    """

    key: str
    name: str
    colour: str = "slate"
    moves: list[str] | None = None
    takes: bool = True
    gate: str = ""
    person: User | None = None
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    worth: Decimal = Decimal(0)
    unrated: int = 0
    tiles: list = field(default_factory=list)
    cursor: str = ""
    is_unread: bool = False

    @property
    def total(self) -> str:
        """All of it in the company's currency; `unrated` deals are not in it."""
        return show_money(self.worth, default_currency(), cents=False) if self.sums else ""

    @property
    def detail(self) -> str:
        """`1 250 000 zł · 12 000 €`; empty where there is one currency."""
        if set(self.sums) <= {default_currency()}:
            return ""
        own_first = sorted(self.sums.items(), key=lambda pair: (pair[0] != default_currency(), pair[0]))
        return " · ".join(show_money(amount, code, cents=False) for code, amount in own_first if amount)


class Grouping:
    """One way of laying out a board; this one by stage.

    `writes`: the field of a deal that another column means; `action`: the right it takes. A dropped tile is posted to
    the deal's address with `tail`, the column's key as `field`. `first_read`: so many columns are read at once.
    """

    key = ""
    label: object = gettext_lazy("Stage")
    writes = "stage"
    action = "edit"
    tail = "stage/"
    field = "stage"
    first_read: int | None = None

    def by(self):
        """The expression that deals are counted by."""
        return F("stage_id")

    def key_of(self, value) -> str:
        """The column of a value of `by`, however it was read."""
        return str(value) if value is not None else NONE

    def place_of(self, deal: Deal) -> str:
        return self.key_of(deal.stage_id)

    def columns(self, way: FunnelMap, keys: set[str], user) -> list[Column]:
        """`keys`: the columns that have deals, or are shown already."""
        gates = gates_of(stage.pk for stage in way.stages)
        return [
            Column(
                str(stage.pk), str(stage), stage.colour, [str(pk) for pk in sorted(way.moves[stage.pk])],
                gate=gates.get(stage.pk, ""),
            )
            for stage in way.stages
        ]  # fmt: skip

    def narrow(self, deals, key: str):
        """The deals of one column; the key is one of `columns`."""
        return deals.filter(stage_id=int(key))

    def order(self, key: str) -> str:
        """The column of the database that the tiles of a column stand in order of."""
        return "-stage_since"

    def is_open_to(self, user) -> bool:
        """Whether the reader may see what the columns tell."""
        return self.writes not in user.access.hidden_fields(Deal)

    def is_writable(self, user) -> bool:
        """Whether the reader may drop tiles at all."""
        locked = self.writes in user.access.locked_fields(Deal)
        return not locked and user.access.may(Deal, self.action)


class ByOwner(Grouping):
    key = writes = "owner"
    label = gettext_lazy("Owner")
    action = "assign"
    tail = "assignment/"
    field = "owner"
    first_read = 6

    def by(self):
        return F("owner_id")

    def place_of(self, deal: Deal) -> str:
        return self.key_of(deal.owner_id)

    def columns(self, way: FunnelMap, keys: set[str], user) -> list[Column]:
        """Oneself first, then by name; those without a deal may be reached by the tile's menu."""
        wanted = {int(key) for key in keys if key.isascii() and key.isdecimal() and len(key) < 19}
        reach = people_to_assign(user, Deal).filter(pk=OuterRef("pk"))
        people = User.objects.filter(pk__in=wanted | {user.pk}).annotate(may_get=Exists(reach))
        ranked = sorted(people, key=lambda one: (one.pk != user.pk, str(one)))
        found = [Column(str(one.pk), str(one), takes=one.may_get, person=one) for one in ranked]
        if NONE in keys:
            found.append(Column(NONE, gettext("Without owner"), takes=False))
        return found

    def narrow(self, deals, key: str):
        return deals.filter(owner=None) if key == NONE else deals.filter(owner_id=int(key))


class ByMonth(Grouping):
    key = "month"
    label = gettext_lazy("Close month")
    writes = "close_date"
    tail = "close-month/"
    field = "month"
    first_read = 6

    def by(self):
        return TruncMonth("close_date")

    def key_of(self, value) -> str:
        return f"{value:%Y-%m}" if value is not None else NONE

    def place_of(self, deal: Deal) -> str:
        return self.key_of(deal.close_date)

    def columns(self, way: FunnelMap, keys: set[str], user) -> list[Column]:
        """Months gone by, the present one and the next two, whatever is later, and deals without a date."""
        present = timezone.localdate().replace(day=1)
        shown = {first for key in keys if (first := read_month(key))} | {
            shift_month(present, 0), shift_month(present, 1), shift_month(present, 2)
        }  # fmt: skip
        found = [
            Column(
                self.key_of(first), name_of_month(first),
                "orange" if first < present else "blue" if first == present else "teal",
            )
            for first in sorted(shown)
        ]  # fmt: skip
        return [*found, Column(NONE, gettext("Without close date"))]

    def narrow(self, deals, key: str):
        first = read_month(key)
        if first is None:
            return deals.filter(close_date=None)
        return deals.filter(close_date__gte=first, close_date__lte=last_of(first))

    def order(self, key: str) -> str:
        return "-stage_since" if key == NONE else "close_date"


BY_STAGE = Grouping()
GROUPINGS = (BY_STAGE, ByOwner(), ByMonth())


def groupings_for(user) -> list[Grouping]:
    """Those whose columns tell nothing that is hidden from the reader; stages always."""
    return [one for one in GROUPINGS if one is BY_STAGE or one.is_open_to(user)]


def read_month(text: str) -> date | None:
    """The first day of `2026-11`; None for anything else."""
    try:
        found = date.fromisoformat(f"{text}-01") if len(text) == 7 else None
    except ValueError:
        return None
    return found if found and 1900 <= found.year <= 2200 else None


def last_of(first: date) -> date:
    return first.replace(day=monthrange(first.year, first.month)[1])


def shift_month(first: date, months: int) -> date:
    """The first day of the month so many months later."""
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def coming_months(also: date | None = None) -> list[date]:
    """The present month and those after it, and the month of `also`."""
    present = timezone.localdate().replace(day=1)
    found = {shift_month(present, months) for months in range(AHEAD)}
    return sorted(found | ({also.replace(day=1)} if also else set()))


def name_of_month(first: date) -> str:
    name = date_format(first, "F Y")
    return name[:1].upper() + name[1:]


def close_date_in(month: date | None, present: date | None) -> date | None:
    """The same day in another month, its last one where that is shorter, and where there was no date."""
    if month is None:
        return None
    last = last_of(month)
    return last if present is None else min(month.replace(day=min(present.day, last.day)), last)
