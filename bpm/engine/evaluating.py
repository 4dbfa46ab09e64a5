"""The value of an expression, bounded in size and independent of anything but its variables and the clock."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException
from typing import Any

from bpm.engine.expressions import ExpressionError, Tree, parse, parse_template
from bpm.engine.phrases import gettext_noop as _
from bpm.engine.values import Value

MAX_RESULT = 10**18
MAX_TEXT = 10_000
MAX_LIST = 1_000

_ARITHMETIC = Context(prec=28, rounding=ROUND_HALF_UP)
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def evaluate(text: str, variables: Mapping[str, Value], now: datetime) -> Value:
    """The value of an expression in any spelling."""
    return _Evaluation(variables, now).value(parse(text))


def holds(text: str, variables: Mapping[str, Value], now: datetime) -> bool:
    """Whether a condition is met; a missing answer (null) counts as no."""
    return truth(evaluate(text, variables, now))


def fill(text: str, variables: Mapping[str, Value], now: datetime) -> Value:
    """An argument's value: the literal itself, one expression's value, or text with values put in."""
    evaluation = _Evaluation(variables, now)
    parts = [part if isinstance(part, str) else evaluation.value(part) for part in parse_template(text)]
    if len(parts) == 1:
        return parts[0]
    return _bounded("".join(_shown(part) for part in parts))


def _shown(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, Decimal)):
        return str(value)
    raise ExpressionError(_("its value cannot be put into text"))


def truth(value: Value) -> bool:
    if value is None:
        return False
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ExpressionError(_("its value is neither yes nor no"))
    return value


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _number(value: Value) -> int | Decimal:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if not _is_number(value):
        raise ExpressionError(_("it calculates with something that is not a number"))
    return value  # type: ignore[no-any-return]


def _bounded(value: Value) -> Value:
    if _is_number(value) and (
        (isinstance(value, Decimal) and not value.is_finite()) or abs(value) > MAX_RESULT
    ):
        raise ExpressionError(_("it gives a number that is too large"))
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise ExpressionError(_("it gives a text that is too long"))
    return value


def _alike(one: Value, other: Value) -> tuple[Value, Value]:
    """Text beside a number or yes/no is read as one, the way form values and other engines spell them."""
    if isinstance(one, str) and not isinstance(other, str):
        turned, same = _alike(other, one)
        return same, turned
    if isinstance(other, str):
        if isinstance(one, bool) and other.lower() in ("true", "false"):
            return one, other.lower() == "true"
        if _is_number(one) and len(other) < 30:
            try:
                return one, _ARITHMETIC.create_decimal(other)
            except DecimalException:
                return one, other
    return one, other


def _equal(one: Value, other: Value) -> bool:
    one, other = _alike(one, other)
    if isinstance(one, bool) != isinstance(other, bool):
        return False
    return bool(one == other)


class _Evaluation:
    def __init__(self, variables: Mapping[str, Value], now: datetime) -> None:
        self.variables = variables
        self.now = now

    def value(self, tree: Tree) -> Value:
        kind = tree[0]
        if kind == "value":
            return tree[1]
        if kind == "name":
            if tree[1] not in self.variables:
                raise ExpressionError(_("“%(name)s” has no value yet"), name=tree[1])
            return self.variables[tree[1]]
        if kind in ("and", "or"):
            return self.joined(tree)
        if kind == "if":
            return self.value(tree[2] if truth(self.value(tree[1])) else tree[3])
        handler: Callable[..., Value] = getattr(self, f"on_{_HANDLERS.get(kind, 'arithmetic')}")
        return handler(tree)

    def joined(self, tree: Tree) -> bool:
        """Both operators stop at the first operand that settles them; the rest is not read."""
        first = truth(self.value(tree[1]))
        return first if first == (tree[0] == "or") else truth(self.value(tree[2]))

    def on_group(self, tree: Tree) -> Value:
        return self.value(tree[1])

    def on_field(self, tree: Tree) -> Value:
        card = self.value(tree[1])
        if not isinstance(card, dict):
            raise ExpressionError(
                _("it reads the field “%(name)s” of something that is not a card"), name=tree[2]
            )
        if tree[2] not in card:
            raise ExpressionError(_("the card does not have the field “%(name)s”"), name=tree[2])
        return card[tree[2]]

    def on_list(self, tree: Tree) -> list[Value]:
        return [self.value(part) for part in tree[1:]]

    def on_not(self, tree: Tree) -> bool:
        return not truth(self.value(tree[1]))

    def on_truth(self, tree: Tree) -> bool:
        return truth(self.value(tree[1]))

    def on_empty(self, tree: Tree) -> bool:
        missing = tree[1][0] == "name" and tree[1][1] not in self.variables
        return missing or self.value(tree[1]) in (None, "", [], {})

    def on_negative(self, tree: Tree) -> Value:
        return -_number(self.value(tree[1]))

    def on_equality(self, tree: Tree) -> bool:
        equal = _equal(self.value(tree[1]), self.value(tree[2]))
        return equal if tree[0] == "==" else not equal

    def on_order(self, tree: Tree) -> bool:
        one, other = _alike(self.value(tree[1]), self.value(tree[2]))
        if not (_is_number(one) and _is_number(other)) and not (
            isinstance(one, str) and isinstance(other, str)
        ):
            raise ExpressionError(_("it compares values that have no order"))
        return bool(_ORDER[tree[0]](one, other))

    def on_in(self, tree: Tree) -> bool:
        one, other = self.value(tree[1]), self.value(tree[2])
        if isinstance(other, str) and isinstance(one, str):
            return one in other
        if isinstance(other, list):
            return any(_equal(one, each) for each in other)
        raise ExpressionError(_("it looks with “in” into something that is not a list"))

    def on_arithmetic(self, tree: Tree) -> Value:
        sign, one, other = tree[0], self.value(tree[1]), self.value(tree[2])
        if sign == "+" and isinstance(one, str) and isinstance(other, str):
            return _bounded(one + other)
        return _bounded(_calculated(sign, _number(one), _number(other)))

    def on_call(self, tree: Tree) -> Value:
        name, arguments = tree[1], [self.value(part) for part in tree[2:]]
        if name in ("today", "now"):
            return self.now.date().isoformat() if name == "today" else self.now.isoformat()
        try:
            return _bounded(_CALLS[name](*arguments))
        except (TypeError, AttributeError, ValueError, ArithmeticError) as error:
            if isinstance(error, ExpressionError):
                raise
            raise ExpressionError(_("“%(name)s” was given a value it cannot use"), name=name) from error


def _calculated(sign: str, one: int | Decimal, other: int | Decimal) -> int | Decimal:
    left, right = Decimal(one), Decimal(other)
    try:
        if sign == "/":
            return _ARITHMETIC.divide(left, right)
        if sign == "%":
            return _ARITHMETIC.remainder(left, right)
        if isinstance(one, int) and isinstance(other, int):
            return one + other if sign == "+" else one - other if sign == "-" else one * other
        does = {"+": _ARITHMETIC.add, "-": _ARITHMETIC.subtract, "*": _ARITHMETIC.multiply}[sign]
        return does(left, right)
    except (DecimalException, ZeroDivisionError) as error:
        raise ExpressionError(_("it divides by zero or leaves the range of numbers")) from error


def _text(value: Value) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _round(value: Value, places: Value = 0) -> int | Decimal:
    if not isinstance(places, int) or not 0 <= places <= 10:
        raise TypeError
    rounded = _ARITHMETIC.quantize(Decimal(_number(value)), Decimal(1).scaleb(-places))
    return rounded if places else int(rounded)


def _extreme(pick: Callable[[list[Any]], Any]) -> Callable[..., Value]:
    def chosen(*values: Value) -> Value:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        return pick([_number(item) for item in items])

    return chosen


def _days(one: Value, other: Value) -> int:
    first, second = (datetime.fromisoformat(_text(value)).date() for value in (one, other))
    return (second - first).days


def _contains(where: Value, what: Value) -> bool:
    return (
        any(_equal(what, each) for each in where) if isinstance(where, list) else _text(what) in _text(where)
    )


def _count(where: Value, what: Value) -> int:
    if not isinstance(where, list):
        raise TypeError
    return sum(_equal(what, each) for each in where)


_CALLS: dict[str, Callable[..., Value]] = {
    "len": lambda value: len(value) if isinstance(value, (str, list)) else len(_text(value)),
    "count": _count,
    "lower": lambda value: _text(value).lower(),
    "upper": lambda value: _text(value).upper(),
    "trim": lambda value: _text(value).strip(),
    "contains": _contains,
    "starts_with": lambda value, start: _text(value).startswith(_text(start)),
    "ends_with": lambda value, end: _text(value).endswith(_text(end)),
    "min": _extreme(min),
    "max": _extreme(max),
    "sum": _extreme(sum),
    "abs": lambda value: abs(_number(value)),
    "round": _round,
    "days_between": _days,
}
_HANDLERS = {
    "group": "group", "field": "field", "list": "list", "not": "not", "truth": "truth", "empty": "empty",
    "negative": "negative", "==": "equality", "!=": "equality", "in": "in", "call": "call",
    **dict.fromkeys(_ORDER, "order"),
}  # fmt: skip
