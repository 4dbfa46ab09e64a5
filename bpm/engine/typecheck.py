"""Whether an expression can have a value at all: kinds that never fit together are found before anything runs.

Only what is certain is reported. A text field may hold a number, so it may stand beside one; a date may not.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from bpm.engine.expressions import Tree, path_of
from bpm.engine.phrases import Phrase
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.vocabulary import ANY, BOOL, CARD, DATE, LIST, NUMBER, TEXT, Vocabulary

WORD = "word"  # a text in quotes that is certainly no number, no date, and neither yes nor no

_DAY = re.compile(r"\d{4}-\d\d-\d\d.*")
_TEXTS = (TEXT, WORD, DATE, ANY)
_ORDERED = {NUMBER: (NUMBER, TEXT, ANY), TEXT: (NUMBER, TEXT, WORD, DATE, ANY), WORD: _TEXTS, DATE: _TEXTS}
_EQUAL = {
    NUMBER: (NUMBER, TEXT, ANY),
    BOOL: (BOOL, TEXT, ANY),
    DATE: (DATE, TEXT, ANY),
    WORD: (WORD, TEXT, ANY),
    LIST: (LIST, ANY),
    CARD: (CARD, ANY),
    TEXT: (NUMBER, BOOL, DATE, WORD, TEXT, ANY),
}
_RESULTS = {
    "len": NUMBER, "count": NUMBER, "min": NUMBER, "max": NUMBER, "sum": NUMBER, "abs": NUMBER, "round": NUMBER,
    "days_between": NUMBER, "lower": TEXT, "upper": TEXT, "trim": TEXT, "contains": BOOL, "starts_with": BOOL,
    "ends_with": BOOL, "today": DATE, "now": DATE,
}  # fmt: skip
_TAKES = {
    **dict.fromkeys(("lower", "upper", "trim", "starts_with", "ends_with", "days_between"), _TEXTS),
    **dict.fromkeys(("abs", "round"), (NUMBER, ANY)),
    **dict.fromkeys(("min", "max", "sum"), (NUMBER, LIST, ANY)),
    "len": (*_TEXTS, LIST),
}


def problem_of(tree: Tree, words: Vocabulary, *, condition: bool) -> Phrase | None:
    """What is certainly wrong with the expression, the innermost first; None when it may have a value."""
    check = _Check(words)
    kind = check.kind(tree)
    if condition:
        check.demand_truth(kind)
    return check.problem


class _Check:
    def __init__(self, words: Vocabulary) -> None:
        self.words = words
        self.problem: Phrase | None = None

    def report(self, text: str, **params: str) -> str:
        if self.problem is None:
            self.problem = Phrase(text, params)
        return ANY

    def demand_truth(self, kind: str) -> None:
        if kind in (NUMBER, DATE, LIST, CARD, WORD):
            self.report(_("its value is neither yes nor no"))

    def kind(self, tree: Tree) -> str:
        sign = tree[0]
        if sign == "value":
            return _of_literal(tree[1])
        if path_of(tree):
            return self.of_path(tree)
        if sign == "call":
            return self.of_call(tree)
        parts = [self.kind(part) for part in tree[1:]]
        if sign == "group":
            return parts[0]
        if sign == "list":
            return LIST
        if sign == "if":
            self.demand_truth(parts[0])
            return parts[1] if parts[1] == parts[2] else ANY
        return self.of_operator(sign, parts)

    def of_path(self, tree: Tree) -> str:
        path = path_of(tree) or ()
        for end in range(1, len(path)):
            owner = self.words.kinds.get(path[:end], ANY)
            if owner not in (CARD, ANY):
                return self.report(
                    _("it reads the field “%(name)s” of something that is not a card"), name=path[end]
                )
        card = self.words.cards.get(path[0])
        if card is not None and len(path) > 1 and path[1] not in card:
            return self.report(_("the card does not have the field “%(name)s”"), name=path[1])
        return self.words.kinds.get(path, ANY)

    def of_call(self, tree: Tree) -> str:
        name = tree[1]
        takes = _TAKES.get(name)
        for kind in [self.kind(part) for part in tree[2:]]:
            if takes and kind not in takes:
                self.report(_("“%(name)s” was given a value it cannot use"), name=name)
        return _RESULTS[name]

    def of_operator(self, sign: str, kinds: list[str]) -> str:
        if sign in ("and", "or", "not", "truth"):
            for kind in kinds:
                self.demand_truth(kind)
        elif sign in ("==", "!="):
            if kinds[0] != ANY and kinds[1] not in _EQUAL[kinds[0]]:
                self.report(_("it compares values of different kinds"))
        elif sign in ("<", "<=", ">", ">="):
            if any(kind not in _ORDERED for kind in kinds if kind != ANY) or (
                kinds[0] != ANY and kinds[1] not in _ORDERED[kinds[0]]
            ):
                self.report(_("it compares values that have no order"))
        elif sign == "in":
            if kinds[1] in (NUMBER, BOOL, CARD):
                self.report(_("it looks with “in” into something that is not a list"))
        elif sign != "empty":
            return self.of_arithmetic(sign, kinds)
        return BOOL

    def of_arithmetic(self, sign: str, kinds: list[str]) -> str:
        if sign == "+" and all(kind in _TEXTS for kind in kinds):
            return ANY if ANY in kinds else TEXT
        if any(kind not in (NUMBER, ANY) for kind in kinds):
            return self.report(_("it calculates with something that is not a number"))
        return NUMBER


def _of_literal(value: object) -> str:
    if value is None:
        return ANY
    if isinstance(value, bool):
        return BOOL
    if not isinstance(value, str):
        return NUMBER
    if _DAY.fullmatch(value):
        return DATE
    if value.lower() in ("true", "false"):
        return ANY
    try:
        Decimal(value)
    except InvalidOperation:
        return WORD
    return ANY
