"""Conditions and computed arguments: a small language of our own, read without Python's parser.

    or, and, not (also || && !)      = == != < <= > >=  in  not in
    + - * / %   a ? b : c   if a then b else c   empty x
    'text' "text" 12 12.5 true false null [1, 2]
    name   deal.amount   function(argument, …)

Spellings: ``${…}``, ``#{…}``, ``=…`` and plain. There are no powers, no methods, no assignment, no loops;
a dot reads a field of a card (a dict among the variables) and nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from bpm.engine.phrases import PhrasedError
from bpm.engine.phrases import gettext_noop as _

MAX_LENGTH = 500
MAX_TEMPLATE = 4_000
MAX_DEPTH = 30
MAX_TOKENS = 200
MAX_NUMBER = 10**15

Tree = tuple[Any, ...]
Path = tuple[str, ...]

FUNCTIONS: dict[str, tuple[int, int]] = {
    # name: fewest and most arguments
    "len": (1, 1), "count": (2, 2), "lower": (1, 1), "upper": (1, 1), "trim": (1, 1),
    "contains": (2, 2), "starts_with": (2, 2), "ends_with": (2, 2),
    "min": (1, 10), "max": (1, 10), "sum": (1, 1), "abs": (1, 1), "round": (1, 2),
    "today": (0, 0), "now": (0, 0), "days_between": (2, 2),
}  # fmt: skip

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign>==|!=|<=|>=|&&|\|\||[-+*/%<>=!()\[\],.?:]))"
)
_WORDS = {
    "&&": "and", "||": "or", "!": "not", "=": "==", "eq": "==", "ne": "!=",
    "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "div": "/", "mod": "%",
}  # fmt: skip
_KEYWORDS = {"and", "or", "not", "in", "if", "then", "else", "empty"} | {
    word for word in _WORDS if word.isalpha()
}
_CONSTANTS: dict[str, Any] = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
}  # fmt: skip
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_WRAPPED = re.compile(r"\s*[$#]\{(.*)\}\s*", re.DOTALL)
_EMBEDDED = re.compile(r"[$#]\{((?:[^}'\"]|'[^']*'|\"[^\"]*\")*)\}")


class ExpressionError(PhrasedError):
    """The expression cannot be read or has no value; the text says why, for a person."""


def is_expression(text: str) -> bool:
    """Whether an argument or attribute holds an expression rather than a literal."""
    return text.lstrip().startswith("=") or "${" in text or "#{" in text


def source_of(text: str) -> str:
    """The expression without its spelling."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return wrapped.group(1).strip()
    text = text.strip()
    return text[1:].strip() if text.startswith("=") and not text.startswith("==") else text


@lru_cache(maxsize=2048)
def parse(text: str) -> Tree:
    """The tree of an expression in any of the four spellings."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(_("it is longer than %(limit)s characters"), limit=str(MAX_LENGTH))
    return _Parser(_tokens(source_of(text))).whole()


@lru_cache(maxsize=2048)
def parse_template(text: str) -> tuple[str | Tree, ...]:
    """An argument: one part when it is a literal or a single expression, several when text surrounds it."""
    if len(text) > MAX_TEMPLATE:  # before any pattern sees it
        raise ExpressionError(_("it is longer than %(limit)s characters"), limit=str(MAX_TEMPLATE))
    if not is_expression(text):
        return (text,)
    single = _EMBEDDED.fullmatch(text.strip())
    if single or text.lstrip().startswith("="):
        return (parse(text),)
    parts: list[str | Tree] = []
    end = 0
    for match in _EMBEDDED.finditer(text):
        parts += [text[end : match.start()], parse(match.group(1))]
        end = match.end()
    return (*parts, text[end:])


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    position = 0
    while source[position:].strip():
        match = _TOKEN.match(source, position)
        if match is None:
            raise ExpressionError(
                _("it cannot be read from “%(rest)s” on"), rest=source[position:].strip()[:20]
            )
        kind = str(match.lastgroup)
        text = match.group(kind)
        if kind == "name" and text in _KEYWORDS:
            kind = "sign"
        found.append(_Token(kind, _WORDS.get(text, text) if kind == "sign" else text))
        position = match.end()
    if len(found) > MAX_TOKENS:
        raise ExpressionError(_("it has more than %(limit)s parts"), limit=str(MAX_TOKENS))
    if not found:
        raise ExpressionError(_("it is empty"))
    return [*found, _Token("end", "")]


class _Parser:
    """Recursive descent; depth is counted so that nesting cannot exhaust the stack."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def whole(self) -> Tree:
        tree = self.expression()
        if self.tokens[self.at].kind != "end":
            raise ExpressionError(_("“%(sign)s” does not belong there"), sign=self.tokens[self.at].text)
        return tree

    def take(self, *signs: str) -> str:
        token = self.tokens[self.at]
        if token.kind == "sign" and token.text in signs:
            self.at += 1
            return token.text
        return ""

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            raise ExpressionError(_("“%(sign)s” is missing"), sign=sign)

    def expression(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ExpressionError(_("it is nested too deeply"))
        if self.take("if"):
            condition = self.expression()
            self.expect("then")
            yes = self.expression()
            self.expect("else")
            tree: Tree = ("if", condition, yes, self.expression())
        else:
            tree = self.either()
            if self.take("?"):
                yes = self.expression()
                self.expect(":")
                tree = ("if", tree, yes, self.expression())
        self.depth -= 1
        return tree

    def either(self) -> Tree:
        tree = self.both()
        while self.take("or"):
            tree = ("or", tree, self.both())
        return tree

    def both(self) -> Tree:
        tree = self.negation()
        while self.take("and"):
            tree = ("and", tree, self.negation())
        return tree

    def negation(self) -> Tree:
        count = 0
        while self.take("not"):
            count += 1
        tree = self.comparison()
        return ("not", tree) if count % 2 else (("truth", tree) if count else tree)

    def comparison(self) -> Tree:
        tree = self.total()
        sign = self.take("not", "in", *_COMPARISONS)
        if not sign:
            return tree
        if sign == "not":
            self.expect("in")
            return ("not", ("in", tree, self.total()))
        tree = (sign, tree, self.total())
        if self.take("in", *_COMPARISONS):
            raise ExpressionError(_("it compares twice in a row; join two comparisons with “and”"))
        return tree

    def total(self) -> Tree:
        tree = self.product()
        while sign := self.take("+", "-"):
            tree = (sign, tree, self.product())
        return tree

    def product(self) -> Tree:
        tree = self.unary()
        while sign := self.take("*", "/", "%"):
            other = self.unary()
            if any(part[0] == "value" and isinstance(part[1], str) for part in (tree, other)):
                raise ExpressionError(_("“%(sign)s” cannot be used on text"), sign=sign)
            tree = (sign, tree, other)
        return tree

    def unary(self) -> Tree:
        if sign := self.take("-", "empty"):
            self.depth += 1
            if self.depth > MAX_DEPTH:
                raise ExpressionError(_("it is nested too deeply"))
            tree: Tree = (sign if sign == "empty" else "negative", self.unary())
            self.depth -= 1
            return tree
        tree = self.primary()
        while self.take("."):
            token = self.tokens[self.at]
            self.at += 1
            if token.kind != "name" or token.text.startswith("_"):
                raise ExpressionError(_("the field “%(name)s” cannot be read"), name=token.text)
            if tree[0] not in ("name", "field"):
                raise ExpressionError(
                    _("it reads the field “%(name)s” of something that is not a card"), name=token.text
                )
            tree = ("field", tree, token.text)
            if self.take("("):
                raise ExpressionError(
                    _("it calls the method “%(name)s”, and methods cannot be called"), name=token.text
                )
        return tree

    def primary(self) -> Tree:
        token = self.tokens[self.at]
        self.at += 1
        if token.kind == "number":
            return ("value", _number(token.text))
        if token.kind == "text":
            return ("value", token.text[1:-1])
        if token.kind == "name":
            return self.named(token.text)
        if token.text == "(":
            tree = self.expression()
            self.expect(")")
            return ("group", tree)
        if token.text == "[":
            return ("list", *self.sequence("]"))
        if not token.text:
            raise ExpressionError(_("it ends too early"))
        raise ExpressionError(_("“%(sign)s” does not belong there"), sign=token.text)

    def named(self, name: str) -> Tree:
        if name.startswith("_"):
            raise ExpressionError(_("the name “%(name)s” is not allowed"), name=name)
        if self.take("("):
            if name not in FUNCTIONS:
                raise ExpressionError(_("“%(name)s” is no function here"), name=name)
            arguments = self.sequence(")")
            fewest, most = FUNCTIONS[name]
            if not fewest <= len(arguments) <= most:
                raise ExpressionError(_("“%(name)s” has a wrong number of arguments"), name=name)
            return ("call", name, *arguments)
        return ("value", _CONSTANTS[name]) if name in _CONSTANTS else ("name", name)

    def sequence(self, end: str) -> list[Tree]:
        found: list[Tree] = []
        if self.take(end):
            return found
        found.append(self.expression())
        while self.take(","):
            found.append(self.expression())
        self.expect(end)
        return found


def _number(text: str) -> int | Decimal:
    if len(text) > 24:
        raise ExpressionError(_("it holds a number that is too long"))
    number: int | Decimal = Decimal(text) if "." in text else int(text)
    if number > MAX_NUMBER:
        raise ExpressionError(_("it holds a number that is too large"))
    return number


def paths(tree: Tree) -> set[Path]:
    """The variables and card fields an expression reads."""
    return set(probes(tree))


def probes(tree: Tree) -> dict[Path, list[Any]]:
    """Every path read, with values worth trying in a dry run: what it is compared to, or its likely kind."""
    found: dict[Path, list[Any]] = {}
    pending: list[Tree] = [tree]
    while pending:
        part = pending.pop()
        path = path_of(part)
        if path:
            found.setdefault(path, [])
            continue
        children = [child for child in part[1:] if isinstance(child, tuple)]
        pending += children
        if part[0] in (*_COMPARISONS, "in"):
            _note_literals(found, part[0], children)
        elif part[0] in _NUMERIC or (part[0] == "call" and part[1] in _TRIED):
            tried = _TRIED.get(part[1], [1, 100]) if part[0] == "call" else [1, 100]
            for path in filter(None, map(path_of, children)):
                found.setdefault(path, []).extend(tried)
    return found


_NUMERIC = ("+", "-", "*", "/", "%", "negative")
_ON_TEXT = ("len", "lower", "upper", "trim", "contains")
_TRIED: dict[str, list[Any]] = {
    **{name: ["text"] for name in FUNCTIONS if name.endswith("with") or name in _ON_TEXT},
    **{name: [1, 100] for name in ("min", "max", "abs", "round")},
    "sum": [[1, 100]],
    "count": [["yes", "no"]],
    "days_between": ["2026-01-01", "2026-12-31"],
}


def _note_literals(found: dict[Path, list[Any]], sign: str, sides: list[Tree]) -> None:
    for one, other in (sides, reversed(sides)):
        path = path_of(one)
        if not path:
            continue
        literals = [other] if other[0] == "value" else list(other[1:]) if other[0] == "list" else []
        values = [each[1] for each in literals if each[0] == "value"]
        if not values and sign in ("<", "<=", ">", ">="):
            values = [1, 100]
        found.setdefault(path, []).extend(values)


def path_of(tree: Tree) -> Path | None:
    """("deal", "amount") for deal.amount; None when the tree is anything else."""
    names: list[str] = []
    while tree[0] in ("field", "group"):
        if tree[0] == "field":
            names.append(tree[2])
        tree = tree[1]
    return (tree[1], *reversed(names)) if tree[0] == "name" else None
