"""The fields of a kind of record: one list, read by columns, filters, sorting, export and bulk edits.

    FIELDS = (
        Field("name", _("Name"), sort="sort_key", editable=True),
        Field("source", _("Source"), "record", dictionary=LeadSource, editable=True),
    )

An administrator's attributes join the list by themselves, as `attr_<key>`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind
from crm.attributes.values import python_value
from crm.listing.tags.models import Tag

ATTRIBUTE_PREFIX = "attr_"
# What an attribute is to a list; kinds not named here are compared as texts.
ATTRIBUTE_KINDS = {
    AttributeKind.TEXT: "text",
    AttributeKind.NUMBER: "number",
    AttributeKind.MONEY: "money",
    AttributeKind.DATE: "date",
    AttributeKind.CHOICE: "choice",
    AttributeKind.CHOICES: "choice",
    AttributeKind.PERSON: "person",
    AttributeKind.LINK: "pointer",
    AttributeKind.FILE: "pointer",
    AttributeKind.PHONE: "phone",
    AttributeKind.BOOL: "bool",
}
POINTING = (AttributeKind.PERSON, AttributeKind.LINK, AttributeKind.FILE)
NUMBERS = ("number", "money")
CHOSEN = ("choice", "record", "records", "person", "tags")


@dataclass(frozen=True)
class Field:
    """One field. What a reader types names only its `key`; the path into the database is the program's.

    `kind`: text, phone, number, money, date, moment, choice, record, records (several), person, bool, tags or
    pointer (what a link or file attribute points at).
    `path`: the database path, by default the key; empty for a column that is computed (`computed`).
    `sort`: the indexed column the heading sorts by, empty for none. `joins`: relations a cell needs.
    `pairs`: (value, label) for a choice. `dictionary`: the Named model of a record, of which
    `offered` narrows what can be chosen and `group` tells entries of one name apart.
    `get`: the cell's value from a record. `ask(operator, values)`: the Q of a filter that no column answers.
    `editable`: may be written for many records at once.
    """

    key: str
    label: object
    kind: str = "text"
    sort: str = ""
    path: str = ""
    pairs: tuple = ()
    dictionary: type | None = None
    offered: dict = field(default_factory=dict, hash=False)
    group: str = ""
    joins: tuple[str, ...] = ()
    get: Callable | None = None
    ask: Callable | None = None
    editable: bool = False
    required: bool = False
    computed: bool = False
    attributes: tuple[Attribute, ...] = ()

    @property
    def column(self) -> str:
        return self.path or self.key

    @property
    def names(self) -> set[str]:
        """What the rules on hidden and read-only fields call it."""
        if self.attributes:
            return {self.attributes[0].field_name}
        return {self.key, self.column.split("__")[0]}

    @property
    def is_filterable(self) -> bool:
        """An attribute can be asked for where an indexed row repeats it."""
        if self.attributes:
            return any(attribute.filterable for attribute in self.attributes)
        return not self.computed or self.kind == "tags" or self.ask is not None

    @property
    def is_exported(self) -> bool:
        return not self.computed or self.get is not None

    def value(self, record):
        """What the record holds, typed: text, Decimal, date, moment, bool, a related record, or None."""
        if self.attributes:
            raw = record.attributes.get(self.attributes[0].key)
            if self.attributes[0].kind in POINTING:
                return getattr(record, "named_values", {}).get(self.attributes[0].key)
            return self._shown_choice(raw) if self.kind == "choice" else python_value(self.attributes[0], raw)
        if self.get is not None:
            return self.get(record)
        value = record
        for part in self.column.split("__"):
            value = getattr(value, part, None)
        return self._shown_choice(value) if self.kind == "choice" else value

    def _shown_choice(self, value):
        if value in (None, "", []):
            return ""
        if isinstance(value, list):
            return ", ".join(self._shown_choice(one) for one in value)
        return next((str(label) for known, label in self.choices() if str(known) == str(value)), str(value))

    def choices(self) -> list[tuple[str, str]]:
        """(value, label) of a choice; a record's and a person's come from the database."""
        if self.attributes:
            found: dict[str, str] = {}
            for attribute in self.attributes:
                found |= dict(attribute.choice_labels())
            return list(found.items())
        return [(str(value), label) for value, label in self.pairs]


TAGS = Field(
    "tags",
    _("Tags"),
    "tags",
    dictionary=Tag,
    computed=True,
    get=lambda record: getattr(record, "tag_list", []),
)
"""Stands among the fields of every kind that has tags."""


def attribute_fields(kind: str) -> list[Field]:
    """The attributes in use of every schema of a kind; those of one key and kind are one field. One query."""
    found: dict[tuple[str, str], Field] = {}
    rows = Attribute.objects.filter(attribute_set__kind=kind, archived=False)
    for attribute in rows.order_by("attribute_set_id", "position", "id"):
        same = found.get((attribute.key, attribute.kind))
        if same is not None:
            found[attribute.key, attribute.kind] = replace(same, attributes=(*same.attributes, attribute))
            continue
        taken = any(key == attribute.key for key, _kind in found)
        key = f"{attribute.field_name}.{attribute.kind}" if taken else attribute.field_name
        found[attribute.key, attribute.kind] = Field(
            key,
            str(attribute),
            ATTRIBUTE_KINDS.get(attribute.kind, "text"),
            sort=key if attribute.sortable else "",
            editable=not attribute.unique,
            required=attribute.required,
            attributes=(attribute,),
        )
    return list(found.values())


_planned: list[Callable[[str], Q]] = []


def register_planned(condition: Callable[[str], Q]) -> None:
    """`condition(kind)` tells the records of a kind for which something is planned.

    Called from `AppConfig.ready()` of the area that plans.
    """
    _planned[:] = [condition]


def next_step(kind: str) -> Field:
    """The column of what is planned next, which can be asked for as empty or filled."""

    def ask(operator: str, values: tuple) -> Q:
        found = _planned[0](kind) if _planned else Q(pk__in=[])
        return found if operator == "filled" else ~found

    return Field("next", _("Next step"), "pointer", computed=True, ask=ask)
