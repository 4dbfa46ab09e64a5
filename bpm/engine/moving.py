"""Where an operator may put a token: where the token game shows that the run can still be brought to its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice, product

from bpm.engine import state as waits
from bpm.engine.model import Graph, Node
from bpm.engine.routes import is_join
from bpm.engine.soundness import MAX_FIRSTS, Game, Marking
from bpm.engine.state import State, Token

MAX_WORK = 200_000
"""How much is played for all targets together; what is not reached is not offered."""


def is_movable(state: State, token: Token | None) -> bool:
    """Whether the token waits on a step of its own: neither an event that only watches nor a round of a repetition."""
    if token is None or token.wait is None or token.host:
        return False
    scope = state.scopes.get(token.scope)
    return scope is None or scope.loop is None or scope.node != token.node


def targets(graph: Graph, state: State, token: Token) -> Iterator[Node]:
    """The nodes of the token's own scope from which every run can still end, in the order of the drawing.

    None while the run is under way by itself. Joins are left out, for a token stands at one on the flow it came by;
    so are starts and events on borders.
    """
    if state.ready:
        return
    work = 0
    for node in graph.inside(graph.nodes[token.node].scope):
        if node.id == token.node or not node.incoming or is_join(node):
            continue
        game = Game(graph)
        findings = list(game.findings(list(islice(_markings(game, state, token, node), MAX_FIRSTS))))
        work += game.work
        if work > MAX_WORK:
            return
        if all(each.code == "maybe_deadlock" for each in findings):
            yield node


def _markings(game: Game, state: State, moved: Token, target: Node) -> Iterator[Marking]:
    """Where all tokens of the scope may lie once this one is about to enter the target and the others go on."""
    waiting: list[str] = []
    ways: list[list[tuple[str, ...]]] = [[target.incoming[:1]]]
    for other in state.tokens.values():
        if other.scope != moved.scope or other.host or other.id == moved.id:
            continue
        node = game.graph.nodes[other.node]
        if is_join(node) and other.wait and other.wait.kind in (waits.JOIN, waits.INCIDENT):
            waiting.append(other.flow)
        else:
            ways.append(game.outputs(node))
    for chosen in product(*ways):
        yield tuple(chain.from_iterable(chosen)), tuple(sorted(waiting))
