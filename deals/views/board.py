"""The board of a funnel, its columns' further tiles, and what changed on it."""

from __future__ import annotations

from django.http import Http404
from django.views.decorators.http import require_safe

from collab.calendar.selectors import next_activities
from crm.web.access import get_visible
from crm.web.htmx import page
from deals.board import Board, add_column_tiles, add_tiles, changed_tiles, read_board
from deals.groupings import MOST_COLUMNS
from deals.models import Deal

MOST_CHANGES = 50


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 12 else None


def _board(request, funnel_key: str = "") -> Board:
    return read_board(request.user, params=request.GET, funnel_key=funnel_key, shown=_shown(request))


def _shown(request) -> list[str]:
    """The columns that the page has already."""
    return [key for key in request.GET.get("shown", "").split(",")[:MOST_COLUMNS] if key]


@require_safe
def deal_board(request):
    """Columns with counts and sums; the first tiles of each."""
    board = _board(request)
    add_tiles(board, next_activities)
    context = {"board": board, "list": board.narrowed}
    return page(request, "deals/deal_board.html", context)


@require_safe
def deal_column(request):
    """A fragment: the tiles of one `column`, `after` those that are there."""
    board = _board(request)
    column = board.column(request.GET.get("column", ""))
    if column is None:
        raise Http404
    add_column_tiles(board, column, request.GET.get("after", ""), next_activities)
    return page(request, "deals/_tiles.html", {"board": board, "column": column})


@require_safe
def deal_changes(request):
    """A fragment: the fresh tiles of the deals that changed, and the heads of all columns."""
    ids = [
        number for text in request.GET.get("ids", "").split(",")[:MOST_CHANGES] if (number := _number(text))
    ]
    return board_changes(request, _board(request), ids)


def board_changes(request, board: Board, ids: list[int], status: int = 200):
    """What the board's script puts in place: fresh tiles, those that are gone, and heads."""
    tiles = changed_tiles(board, ids, next_activities) if board.funnel else []
    found, shown = {tile.deal.pk for tile in tiles}, _shown(request)
    heads = [column for column in board.columns if not shown or column.key in shown]
    gone = [pk for pk in ids if pk not in found]
    context = {"board": board, "tiles": tiles, "gone": gone, "heads": heads}
    return page(request, "deals/_changes.html", context, status=status)


def moved_on_board(request, deal: Deal, status: int = 200):
    """The answer to a tile that was dragged."""
    return board_changes(request, _board(request, deal.funnel.key), [deal.pk], status)


@require_safe
def deal_tile(request, pk: int):
    """A fragment: one tile."""
    deal = get_visible(Deal, request.user, pk, queryset=Deal.objects.select_related("funnel"))
    board = _board(request, deal.funnel.key)
    return board_changes(request, board, [deal.pk])
