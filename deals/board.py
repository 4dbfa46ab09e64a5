"""The board of one funnel: its columns, their sums, and the tiles a reader may see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Sum
from django.urls import reverse

from crm.listing.lists import read_cursor, write_cursor
from crm.people.fields import mask
from deals.groupings import BY_STAGE, MOST_COLUMNS, Column, Grouping, groupings_for
from deals.lists import BoardList
from deals.models import Deal, DealStatus, StageRequest
from deals.selectors import Wait, destination, pending_requests, waits_of
from funnel.models import Funnel
from funnel.services import FunnelMap, active_maps

PAGE = 20


@dataclass
class Tile:
    """One deal on the board, in the column `place`. `activity` is its next step, `destination` where a pending move
    leads, `is_fixed` whether it may not be dragged, `may_go` whether it may be sent elsewhere by its menu."""

    deal: Deal
    place: str
    request: StageRequest | None
    activity: object
    waits: list[Wait]
    rots: bool
    url: str
    is_fixed: bool
    may_go: bool

    @property
    def destination(self) -> str:
        return destination(self.request) if self.request else ""


@dataclass
class Board:
    """A funnel as one reader sees it, under the filters of `narrowed`, laid out by `grouping`.

    `left_out`: how many columns there are beyond those shown.
    """

    user: object
    funnels: list[Funnel]
    funnel: Funnel | None
    groupings: list[Grouping]
    grouping: Grouping
    narrowed: BoardList
    columns: list[Column]
    left_out: int = 0

    def column(self, key: str) -> Column | None:
        return next((column for column in self.columns if column.key == key), None)

    def deals(self):
        """The running deals of the funnel that the reader may see and asked for."""
        return self.narrowed.filtered.filter(funnel=self.funnel, status=DealStatus.ACTIVE)


def read_board(user, *, params=None, funnel_key: str = "", shown: Iterable[str] = ()) -> Board:
    """The frame of a board with its counts and sums, without tiles. `shown`: columns that are on the page already.

    Two queries, one more for each gate describer or for the owners, and one for what can be filtered by.
    """
    narrowed = BoardList(user, params)
    maps = active_maps()
    funnels = [way.stages[0].funnel for way in maps.values()]
    wanted = funnel_key or narrowed.params.get("funnel", "")
    funnel = next((one for one in funnels if one.key == wanted), funnels[0] if funnels else None)
    groupings = groupings_for(user)
    grouping = next((one for one in groupings if one.key == narrowed.params.get("group")), BY_STAGE)
    narrowed.params["funnel"] = funnel.key if funnel else ""
    board = Board(user, funnels, funnel, groupings, grouping, narrowed, [])
    if funnel:
        _add_columns(board, maps[funnel.pk], set(shown))
    return board


def _add_columns(board: Board, way: FunnelMap, shown: set[str]) -> None:
    grouping = board.grouping
    rows = list(
        board.deals().order_by().annotate(place=grouping.by()).values_list("place", "currency_id").annotate(
            Count("pk"), Sum("amount"), Sum("worth"), unrated=Count("amount") - Count("worth")
        )
    )  # fmt: skip
    keys = {grouping.key_of(place) for place, *_rest in rows}
    columns = grouping.columns(way, keys | shown, board.user)
    board.columns, board.left_out = columns[:MOST_COLUMNS], max(len(columns) - MOST_COLUMNS, 0)
    is_blind = "amount" in board.user.access.hidden_fields(Deal)
    for place, currency, count, amount, worth, unrated in rows:
        column = board.column(grouping.key_of(place))
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
    """The first tiles of every column, or of those one sees at first. Three queries whatever the number of columns."""
    first = board.grouping.first_read
    read = [column for column in board.columns if column.count][:first]
    for column in board.columns:
        column.is_unread = bool(column.count) and column not in read
    if not read:
        return
    open_ = board.deals()
    firsts = [
        Deal.objects.filter(pk__in=_ordered(board, column, open_).values("pk")[: PAGE + 1]) for column in read
    ]
    pks = [part.order_by().values("pk") for part in firsts]
    wanted = pks[0].union(*pks[1:], all=True) if len(pks) > 1 else pks[0]
    tiles = read_tiles(board, Q(pk__in=wanted), next_activities)
    for column in read:
        _fill(board, column, [tile for tile in tiles if tile.place == column.key])


def add_column_tiles(board: Board, column: Column, after: str, next_activities: NextActivities) -> None:
    """The tiles of one column from a cursor on, from its first one without."""
    rows = _ordered(board, column, board.deals())
    if (point := _read_point(board.grouping.order(column.key), after)) is not None:
        rows = rows.filter(point)
    ids = list(rows.values_list("pk", flat=True)[: PAGE + 1])
    _fill(board, column, read_tiles(board, Q(pk__in=ids), next_activities))


def _ordered(board: Board, column: Column, deals):
    order = board.grouping.order(column.key)
    return board.grouping.narrow(deals, column.key).order_by(order, "-pk" if order[0] == "-" else "pk")


def _fill(board: Board, column: Column, tiles: list[Tile]) -> None:
    order = board.grouping.order(column.key)
    name = order.removeprefix("-")
    tiles.sort(key=lambda tile: (getattr(tile.deal, name), tile.deal.pk), reverse=order != name)
    column.tiles = tiles[:PAGE]
    if len(tiles) > PAGE:
        last = column.tiles[-1].deal
        column.cursor = write_cursor(getattr(last, name).isoformat(), last.pk)


def _read_point(order: str, text: str) -> Q | None:
    """What comes after a cursor in this order; None for anything that is none."""
    cursor = read_cursor(text) if text else None
    name, sign = order.removeprefix("-"), "lt" if order.startswith("-") else "gt"
    if not cursor or not cursor[0]:
        return None
    try:
        value = Deal._meta.get_field(name).to_python(cursor[0])
    except ValidationError:
        return None
    return Q(**{f"{name}__{sign}": value}) | Q(**{name: value, f"pk__{sign}": cursor[1]})


def read_tiles(board: Board, condition: Q, next_activities: NextActivities) -> list[Tile]:
    """Tiles of the deals that fulfil the condition and that the reader may see, latest arrivals first."""
    user, grouping = board.user, board.grouping
    deals = list(
        Deal.objects.visible_to(user)
        .filter(condition)
        .order_by("-stage_since", "-pk")
        .select_related("counterparty", "stage", "owner")
        .with_rights(user, *{"edit", grouping.action})
    )
    places = {deal.pk: grouping.place_of(deal) for deal in deals}
    mask(user, deals)
    ids = [deal.pk for deal in deals]
    requests, activities = pending_requests(ids), next_activities("deals.deal", ids)
    # One look-up of the address for all tiles: a hundred of them cost as much as the page's queries.
    deals_url, writable = reverse("deals:deal_list"), grouping.is_writable(user)
    found = []
    for deal in deals:
        request = requests.get(deal.pk)
        may_go = writable and deal.may_edit and getattr(deal, f"may_{grouping.action}")
        found.append(
            Tile(
                deal=deal,
                place=places[deal.pk],
                request=request,
                activity=activities.get(deal.pk),
                waits=waits_of(request, user),
                rots=deal.is_rotting(deal.stage.rot_days),
                url=f"{deals_url}{deal.pk}/",
                # One that waits for another stage stays where it is; its owner and its date may change meanwhile.
                is_fixed=not may_go or (request is not None and grouping is BY_STAGE),
                may_go=may_go,
            )
        )
    return found


def changed_tiles(board: Board, ids: Iterable[int], next_activities: NextActivities) -> list[Tile]:
    """The tiles of these deals, as far as they belong on this board."""
    wanted = board.deals().filter(pk__in=list(ids)).values("pk")
    return read_tiles(board, Q(pk__in=wanted), next_activities)
