"""The board of one funnel: its columns, their sums, and the tiles a reader may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.urls import reverse

from crm.listing.lists import read_cursor, write_cursor
from crm.money.format import show_money
from crm.money.models import default_currency
from crm.people.fields import mask
from deals.gates import gates_of
from deals.lists import BoardList
from deals.models import Deal, DealStatus, StageRequest
from deals.selectors import Wait, destination, pending_requests, waits_of
from funnel.models import Funnel, Stage
from funnel.services import FunnelMap, active_maps

PAGE = 20


@dataclass
class Tile:
    """One deal on the board. `activity` is its next step, `destination` where a pending move leads."""

    deal: Deal
    request: StageRequest | None
    activity: object
    waits: list[Wait]
    rots: bool
    url: str

    @property
    def destination(self) -> str:
        return destination(self.request) if self.request else ""

    @property
    def is_fixed(self) -> bool:
        """Not to be dragged: it waits already, or is somebody else's."""
        return self.request is not None or not self.deal.may_edit


@dataclass
class Column:
    """One stage: how many deals, what they are worth by currency, where they may go, and the first tiles."""

    stage: Stage
    moves: list[int]
    gate: str = ""
    count: int = 0
    sums: dict[str, Decimal] = field(default_factory=dict)
    worth: Decimal = Decimal(0)
    unrated: int = 0
    tiles: list[Tile] = field(default_factory=list)
    cursor: str = ""

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


@dataclass
class Board:
    """A funnel as one reader sees it, under the filters of `narrowed`."""

    user: object
    funnels: list[Funnel]
    funnel: Funnel | None
    columns: list[Column]
    narrowed: BoardList

    def column(self, stage_id: int) -> Column | None:
        return next((column for column in self.columns if column.stage.pk == stage_id), None)

    def deals(self):
        """The running deals of the funnel that the reader may see and asked for."""
        return self.narrowed.filtered.filter(funnel=self.funnel, status=DealStatus.ACTIVE)


def read_board(user, *, params=None, funnel_key: str = "") -> Board:
    """The frame of a board with its counts and sums, without tiles. Two queries, one more for each gate describer,
    and one for what can be filtered by."""
    narrowed = BoardList(user, params)
    maps = active_maps()
    funnels = [way.stages[0].funnel for way in maps.values()]
    wanted = funnel_key or narrowed.params.get("funnel", "")
    funnel = next((one for one in funnels if one.key == wanted), funnels[0] if funnels else None)
    way = maps[funnel.pk] if funnel else FunnelMap([], {})
    gates = gates_of(stage.pk for stage in way.stages)
    columns = [Column(stage, sorted(way.moves[stage.pk]), gates.get(stage.pk, "")) for stage in way.stages]
    narrowed.params["funnel"] = funnel.key if funnel else ""
    board = Board(user, funnels, funnel, columns, narrowed)
    if funnel:
        _add_totals(board)
    return board


def _add_totals(board: Board) -> None:
    rows = board.deals().order_by().values_list("stage_id", "currency_id").annotate(
        Count("pk"), Sum("amount"), Sum("worth"), unrated=Count("amount") - Count("worth")
    )  # fmt: skip
    is_blind = "amount" in board.user.access.hidden_fields(Deal)
    for stage_id, currency, count, amount, worth, unrated in rows:
        column = board.column(stage_id)
        if column is None:
            continue
        column.count += count
        if is_blind:
            continue
        column.sums[currency] = column.sums.get(currency, Decimal(0)) + (amount or Decimal(0))
        column.worth += worth or Decimal(0)
        column.unrated += unrated


NextActivities = Callable[[str, list[int]], dict]


def add_tiles(board: Board, next_activities: NextActivities) -> None:
    """The first tiles of every column. Three queries whatever the number of columns."""
    if not board.columns:
        return
    open_ = board.deals()
    firsts = [
        Deal.objects.filter(pk__in=_newest_first(open_.filter(stage=column.stage)).values("pk")[: PAGE + 1])
        for column in board.columns
    ]
    pks = [part.order_by().values("pk") for part in firsts]
    wanted = pks[0].union(*pks[1:], all=True) if len(pks) > 1 else pks[0]
    tiles = read_tiles(board.user, Q(pk__in=wanted), next_activities)
    for column in board.columns:
        _fill(column, [tile for tile in tiles if tile.deal.stage_id == column.stage.pk])


def add_column_tiles(board: Board, column: Column, after: str, next_activities: NextActivities) -> None:
    """The tiles of one column from a cursor on."""
    rows = _newest_first(board.deals().filter(stage=column.stage))
    if (point := _read_point(after)) is not None:
        at, pk = point
        rows = rows.filter(Q(stage_since__lt=at) | Q(stage_since=at, pk__lt=pk))
    ids = list(rows.values_list("pk", flat=True)[: PAGE + 1])
    _fill(column, read_tiles(board.user, Q(pk__in=ids), next_activities))


def _newest_first(deals):
    return deals.order_by("-stage_since", "-pk")


def _fill(column: Column, tiles: list[Tile]) -> None:
    column.tiles = tiles[:PAGE]
    if len(tiles) > PAGE:
        last = column.tiles[-1].deal
        column.cursor = write_cursor(last.stage_since.isoformat(), last.pk)


def _read_point(text: str) -> tuple[datetime, int] | None:
    cursor = read_cursor(text) if text else None
    try:
        return (datetime.fromisoformat(cursor[0]), cursor[1]) if cursor and cursor[0] else None
    except ValueError:
        return None


def read_tiles(user, condition: Q, next_activities: NextActivities) -> list[Tile]:
    """Tiles of the deals that fulfil the condition and that the reader may see, latest arrivals first."""
    deals = list(
        _newest_first(Deal.objects.visible_to(user).filter(condition))
        .select_related("counterparty", "stage", "owner")
        .with_rights(user, "edit")
    )
    mask(user, deals)
    ids = [deal.pk for deal in deals]
    requests, activities = pending_requests(ids), next_activities("deals.deal", ids)
    # One look-up of the address for all tiles: a hundred of them cost as much as the page's queries.
    deals_url = reverse("deals:deal_list")
    return [
        Tile(
            deal=deal,
            request=requests.get(deal.pk),
            activity=activities.get(deal.pk),
            waits=waits_of(requests.get(deal.pk), user),
            rots=deal.is_rotting(deal.stage.rot_days),
            url=f"{deals_url}{deal.pk}/",
        )
        for deal in deals
    ]


def changed_tiles(board: Board, ids: Iterable[int], next_activities: NextActivities) -> list[Tile]:
    """The tiles of these deals, as far as they belong on this board."""
    wanted = board.deals().filter(pk__in=list(ids)).values("pk")
    return read_tiles(board.user, Q(pk__in=wanted), next_activities)
