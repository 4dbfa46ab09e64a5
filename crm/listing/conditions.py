"""Filters in the address: `f=city:has:lodz` must hold; of the same group, `f.1=…&f.1=…`, one is enough.

Whatever is not a field of the list's own, an operator of its kind and a value of its type is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from django.db.models import Q
from django.db.models.lookups import Contains, Exact, StartsWith
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy

from crm.attributes.models import AttributeValue
from crm.listing.fields import CHOSEN, NUMBERS, Field
from crm.listing.folded import Folded
from crm.listing.periods import PERIODS, span, start_of
from crm.listing.tags.models import Tagging
from crm.money.fields import typed_amount
from crm.people.folding import fold
from crm.people.models import User

GROUPS = tuple(str(number) for number in range(1, 10))
MOST_CONDITIONS = 20
MOST_CHOICES = 60
MOST_CHARACTERS = 200
LIMIT = Decimal(10) ** 12
ME, TEAM = "me", "team"
WHO = {ME: gettext_lazy("me"), TEAM: gettext_lazy("my team")}

_TEXT = ("has", "is", "starts", "lacks", "empty", "filled")
_NUMBER = ("min", "max", "eq", "between", "empty", "filled")
_DATE = ("period", "since", "until", "between", "on", "empty", "filled")
_CHOSEN = ("any", "none", "empty", "filled")
_SEVERAL = ("any", "all", "none", "empty", "filled")
OPERATORS = {
    "text": _TEXT,
    "phone": _TEXT,
    "number": _NUMBER,
    "money": _NUMBER,
    "date": _DATE,
    "moment": _DATE,
    "choice": _CHOSEN,
    "record": _CHOSEN,
    "person": _CHOSEN,
    "tags": _SEVERAL,
    "records": _SEVERAL,
    "bool": ("yes", "no"),
    "pointer": ("empty", "filled"),
}
BARE = ("empty", "filled", "yes", "no")
LABELS = {
    "has": gettext_lazy("contains"),
    "is": gettext_lazy("is exactly"),
    "starts": gettext_lazy("starts with"),
    "lacks": gettext_lazy("does not contain"),
    "empty": gettext_lazy("is empty"),
    "filled": gettext_lazy("is filled in"),
    "min": gettext_lazy("at least"),
    "max": gettext_lazy("at most"),
    "eq": gettext_lazy("equals"),
    "between": gettext_lazy("between"),
    "period": gettext_lazy("is"),
    "since": gettext_lazy("from"),
    "until": gettext_lazy("until"),
    "on": gettext_lazy("on"),
    "any": gettext_lazy("is any of"),
    "all": gettext_lazy("has all of"),
    "none": gettext_lazy("is none of"),
    "yes": gettext_lazy("yes"),
    "no": gettext_lazy("no"),
}


@dataclass(frozen=True)
class Condition:
    """One comparison; `values` are typed. Conditions of one `group` are alternatives, "" is a group of its own each."""

    field: Field
    operator: str
    values: tuple
    group: str = ""

    @property
    def written(self) -> str:
        """As it stands in the address."""
        return ":".join((self.field.key, self.operator, *([self.raw] if self.values else [])))

    @property
    def raw(self) -> str:
        """The values as they are typed."""
        parts = [format(value, "f") if isinstance(value, Decimal) else str(value) for value in self.values]
        return (".." if self.operator == "between" else ",").join(parts)

    @property
    def parameter(self) -> str:
        return f"f.{self.group}" if self.group else "f"

    def q(self, user, kind: str) -> Q:
        values = self._resolved(user) if self.field.kind == "person" else self.values
        if self.field.attributes:
            return self._attribute_q(kind, values)
        if self.field.kind == "tags":
            return _tags_q(kind, self.operator, values)
        if self.field.ask is not None:
            return self.field.ask(self.operator, values)
        return column_q(self.field, self.operator, values)

    def _resolved(self, user) -> tuple:
        """The ids of people; "my team": for a head everybody below him, else the colleagues of one's department."""
        found = [user.pk if value == ME else value for value in self.values if value != TEAM]
        return (*found, *team_of(user)) if TEAM in self.values else tuple(found)

    def _attribute_q(self, kind: str, values: tuple) -> Q:
        rows = AttributeValue.objects.filter(
            attribute__in=[attribute.pk for attribute in self.field.attributes], record_kind=kind
        )
        operator = {"lacks": "has", "none": "any", "empty": "filled", "no": "yes"}.get(
            self.operator, self.operator
        )
        found = Q(pk__in=rows.filter(_row_q(self.field.kind, operator, values)).values("record_id"))
        return found if operator == self.operator else ~found

    @property
    def label(self) -> str:
        """How the comparison reads: one chosen value is not "any of" several."""
        one = self.field.kind in CHOSEN and len(self.values) == 1
        alone = {"any": gettext_lazy("is"), "none": gettext_lazy("is not"), "all": gettext_lazy("is")}
        return str(alone[self.operator] if one and self.operator in alone else LABELS[self.operator])

    def shown(self, names: dict[str, str]) -> str:
        """The value as people read it; `names` are the labels of what can be chosen."""
        if self.field.kind in CHOSEN:
            return ", ".join(str(WHO.get(value) or names.get(str(value), "?")) for value in self.values)
        if self.operator == "period":
            return str(PERIODS[self.values[0]])
        return " – ".join(
            date_format(value, "SHORT_DATE_FORMAT") if isinstance(value, date) else str(value)
            for value in (self.values if self.field.kind not in NUMBERS else (f"{value:f}" for value in self.values))
        )  # fmt: skip


def team_of(user) -> list[int]:
    """The people of the departments a user heads, or else of his own; always himself. One query."""
    departments = user.access.headed_departments() or [user.department_id]
    return list(
        User.objects.filter(Q(pk=user.pk) | Q(department_id__in=departments)).values_list("pk", flat=True)
    )


def _tags_q(kind: str, operator: str, tags: tuple) -> Q:
    rows = Tagging.objects.filter(record_kind=kind)
    if operator in {"empty", "filled"}:
        found = Q(pk__in=rows.values("record_id"))
        return found if operator == "filled" else ~found
    if operator == "all":
        whole = Q()
        for tag in tags:
            whole &= Q(pk__in=rows.filter(tag=tag).values("record_id"))
        return whole
    found = Q(pk__in=rows.filter(tag__in=tags).values("record_id"))
    return found if operator == "any" else ~found


def column_q(field: Field, operator: str, values: tuple) -> Q:
    """The comparison on a column of the database."""
    path = field.column
    if operator in {"empty", "filled"}:
        empty = Q(**{f"{path}__isnull": True})
        if field.kind in {"text", "phone", "choice"}:
            empty |= Q(**{path: ""})
        return empty if operator == "empty" else ~empty
    if operator in {"yes", "no"}:
        return Q(**{path: operator == "yes"})
    if field.kind in CHOSEN:
        found = Q(**{f"{path}__in": values})
        return found if operator == "any" else ~found | Q(**{f"{path}__isnull": True})
    if field.kind in {"text", "phone"}:
        return _text_q(field, operator, values[0])
    return _range_q(path, operator, values, moments=field.kind == "moment")


def _text_q(field: Field, operator: str, text: str) -> Q:
    text = _digits(text) if field.kind == "phone" else text
    folded, column = fold(text), Folded(field.column)
    if operator == "lacks":
        return ~Q(Contains(column, folded)) | Q(**{f"{field.column}__isnull": True})
    lookup = {"has": Contains, "is": Exact, "starts": StartsWith}[operator]
    return Q(lookup(column, folded))


def _digits(text: str) -> str:
    """A telephone number as it is stored, however it was typed."""
    return "".join(char for char in text if char.isdigit() or char == "+")


def _range_q(path: str, operator: str, values: tuple, *, moments: bool = False) -> Q:
    """Half-open where days are meant, so that a moment late on the last day belongs to it."""
    if values and (operator == "period" or isinstance(values[0], date)):
        first, after = _days(operator, values)
        turn = start_of if moments else (lambda day: day)
        found = Q(**{f"{path}__isnull": False})
        if first is not None:
            found &= Q(**{f"{path}__gte": turn(first)})
        return found & Q(**{f"{path}__lt": turn(after)}) if after is not None else found
    if operator == "between":
        return Q(**{f"{path}__gte": values[0], f"{path}__lte": values[1]})
    return Q(**{f"{path}__{ {'min': 'gte', 'max': 'lte', 'eq': 'exact'}[operator] }": values[0]})


def _days(operator: str, values: tuple) -> tuple[date | None, date | None]:
    if operator == "period":
        return span(values[0])
    if operator == "since":
        return values[0], None
    after = values[-1] + timedelta(days=1)
    return (None if operator == "until" else values[0]), after


def _row_q(kind: str, operator: str, values: tuple) -> Q:
    """The same comparison on the indexed rows of an attribute, whose texts are folded."""
    if operator == "filled":
        return Q()
    if operator == "yes":
        return Q(text=fold(True))
    if kind == "person":
        return Q(number__in=values)
    if kind in CHOSEN:
        return Q(text__in=[fold(value)[:200] for value in values])
    if kind in NUMBERS:
        return _range_q("number", operator, values)
    if kind == "date":
        return _range_q("date", operator, values)
    lookup = {"has": "contains", "is": "exact", "starts": "startswith"}[operator]
    values = (_digits(values[0]),) if kind == "phone" else values
    return Q(**{f"text__{lookup}": fold(values[0])[:200]})


def read_condition(field: Field, operator: str, text: str, group: str = "") -> Condition | None:
    """The condition, or None when operator or value do not fit the field."""
    if not field.is_filterable or operator not in OPERATORS[field.kind]:
        return None
    if operator in BARE:
        return Condition(field, operator, (), group)
    text = text.replace("\x00", "").strip()[: MOST_CHARACTERS if field.kind not in CHOSEN else 600]
    values = _values(field, operator, text)
    return Condition(field, operator, values, group) if values else None


def _values(field: Field, operator: str, text: str) -> tuple:
    if field.kind in CHOSEN:
        return _chosen(field, text)
    if field.kind in {"text", "phone"}:
        return (text,) if fold(text) else ()
    if operator == "period":
        return (text,) if text in PERIODS else ()
    parts = text.split("..") if operator == "between" else [text]
    read = _number if field.kind in NUMBERS else _date
    values = tuple(read(part.strip()) for part in parts)
    return () if None in values or len(values) != (2 if operator == "between" else 1) else values


def _chosen(field: Field, text: str) -> tuple:
    parts = [part for part in text.split(",") if part][:MOST_CHOICES]
    if field.kind == "choice":
        known = {str(value) for value, _label in field.choices()}
        return tuple(part for part in parts if part in known)
    mine = set(WHO) if field.kind == "person" else set()
    return tuple(
        part if part in mine else int(part)
        for part in parts
        if part in mine or (part.isascii() and part.isdecimal() and len(part) < 19)
    )


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(typed_amount(text)).normalize()
    except InvalidOperation:
        return None
    good = number.is_finite() and abs(number) <= LIMIT and int(number.as_tuple().exponent) >= -6
    return number if good else None


def _date(text: str) -> date | None:
    try:
        found = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return found if 1900 <= found.year <= 2200 else None


def read_conditions(params, field_of) -> list[Condition]:
    """Every condition of the address that makes sense; `field_of(key)` is a Field or None."""
    found = []
    for parameter in ("f", *(f"f.{group}" for group in GROUPS)):
        for text in params.getlist(parameter)[:MOST_CONDITIONS]:
            key, _colon, rest = text.partition(":")
            operator, _colon, value = rest.partition(":")
            field = field_of(key)
            condition = field and read_condition(field, operator, value, parameter[2:])
            if condition and condition not in found:
                found.append(condition)
    return found[:MOST_CONDITIONS]


def write_conditions(params, conditions: Iterable[Condition]) -> None:
    """Puts these conditions into the address in place of those there."""
    for parameter in [name for name in params if name == "f" or name.startswith("f.")]:
        del params[parameter]
    for condition in conditions:
        params.appendlist(condition.parameter, condition.written)


def combined(conditions: Iterable[Condition], user, kind: str) -> Q:
    """All must hold; of those in one group, one."""
    groups: dict[object, Q] = {}
    for number, condition in enumerate(conditions):
        place = condition.group or number
        groups[place] = groups.get(place, Q(pk__in=[])) | condition.q(user, kind)
    whole = Q()
    for one in groups.values():
        whole &= one
    return whole
