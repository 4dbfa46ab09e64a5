"""What areas offer for import: the fields of a kind, how duplicates are told, and how a batch is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The ways a cell can be read; `cells.clean` knows each.
FIELD_KINDS = (
    "text",
    "long_text",
    "email",
    "phone",
    "tax_number",
    "url",
    "number",
    "money",
    "date",
    "choice",
    "choices",
    "yes_no",
    "user",
    "country",
    "moment",
    "dictionary",
    "record",
    "checked",
)


@dataclass(frozen=True)
class ImportField:
    """A target for a column.

    `aliases`: headers in any language that mean this field, written as people write them.
    `choices`: for `choice`, pairs of (stored value, every text that means it).
    `joins`: several columns may go here; their texts are joined by `glue`, further phones and e-mails kept apart.
    `dictionary`: the Named model whose entries are meant; a value it lacks may be added by whoever may edit it, with
    `creatable` by everybody; with `several` a cell holds a list of them.
    `records`: the kinds of record a text may mean, the likeliest first (see `lookups`); with `creatable` a record
    that is not there may be made from its name.
    `reads`: for `checked`, from a text and its row's country to the value as it is stored, JSON-ready; it raises
    ValidationError, which the row tells by `fault`, a key of the importer's messages.
    `looks_like`: tells the column by its contents when its header says nothing.
    """

    key: str
    label: Any
    kind: str = "text"
    aliases: tuple[str, ...] = ()
    required: bool = False
    max_length: int | None = None
    choices: tuple[tuple[Any, tuple[str, ...]], ...] = ()
    joins: bool = False
    glue: str = "\n"
    help: Any = ""
    dictionary: Any = None
    records: tuple[str, ...] = ()
    creatable: bool = False
    several: bool = False
    reads: Callable[[str, str], Any] | None = None
    fault: str = ""
    looks_like: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class Match:
    """A record that already exists. `text` is what the importing user may be told of it.

    `id` is 0 for a record the user may not see. `updatable`: of the imported kind, and the user may edit it.
    """

    kind: str
    id: int
    text: str
    updatable: bool = False


@dataclass
class Written:
    """The outcome of a batch: record ids by row number, and a code for each row that could not be written.

    `companions`: what else a row made, as [kind, id] pairs; undoing takes it back too (see `Importer.take_back`).
    """

    created: dict[int, int] = field(default_factory=dict)
    updated: dict[int, int] = field(default_factory=dict)
    failed: dict[int, str | tuple[str, dict]] = field(default_factory=dict)
    companions: dict[int, list[list]] = field(default_factory=dict)


Key = tuple[str, str]
Values = dict[str, Any]


@dataclass(frozen=True)
class Importer:
    """How rows become records of one kind.

    `fields(user)`: the targets offered to this user.
    `faults(values)`: codes of what is wrong with a row as a whole, with the field it is shown at.
    `keys(values)`: what tells a duplicate, the surest first, such as `("phone", "+48221234567")`.
    `existing(keys, by)`: the records that carry any of the keys, by set queries.
    `write(creates, updates, run, by)`: writes in bulk, with history, inside the caller's transaction;
    `creates` are (row number, values), `updates` are (row number, values, record id).
    `list_url(run)`: where the imported records can be seen.
    `joins_twins`: a second row with the same key adds to the record of the first instead of being a duplicate.
    `take_back`: for what goes into no bin, by its kind: `(ids, by)` removes them. For records of a registered kind it
    returns the ids of those it removed; the rest has been changed.
    """

    kind: str
    label: Any
    fields: Callable[[Any], Sequence[ImportField]]
    keys: Callable[[Values], list[Key]]
    existing: Callable[..., dict[Key, Match]]
    write: Callable[..., Written]
    list_url: Callable[[Any], str]
    faults: Callable[[Values], list[tuple[str, str]]] = lambda values: []
    messages: dict[str, Any] = field(default_factory=dict)
    key_labels: dict[str, Any] = field(default_factory=dict)
    example: Iterable[dict[str, str]] = ()
    joins_twins: bool = False
    take_back: Mapping[str, Callable[..., None]] = field(default_factory=dict)

    def may_import(self, user) -> bool:
        return user.access.may(self.kind, "import")

    def field_map(self, user) -> dict[str, ImportField]:
        return {target.key: target for target in self.fields(user)}


_importers: dict[str, Importer] = {}


def register_importer(importer: Importer) -> None:
    """Called from an area's `AppConfig.ready()`."""
    _importers[importer.kind] = importer


def importer_for(kind: str) -> Importer:
    """Raises KeyError for a kind that no area imports."""
    return _importers[kind]


def importers_of(user) -> list[Importer]:
    """What this user may import."""
    return [importer for importer in _importers.values() if importer.may_import(user)]


def importable_kinds() -> list[str]:
    """Every kind that an area imports."""
    return list(_importers)
