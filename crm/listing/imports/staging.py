"""From cells to staged rows: values, errors, and duplicates inside the file and among what exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from crm.listing.imports import cells
from crm.listing.imports.registry import Importer, ImportField, Key, Match, Values
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.reading import Row
from crm.people.folding import fold
from crm.people.models import User

# Beside the fields' own values: what a cell held beyond one value (a second phone), and by which field.
EXTRA = "_extra"


@dataclass
class Stager:
    """Turns rows into ImportRows, batch by batch, remembering the keys met so far."""

    run: Import
    importer: Importer
    targets: list[tuple[int, ImportField]]
    users: dict[str, int] = field(default_factory=dict)
    seen: dict[Key, int] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Import, importer: Importer, by) -> Stager:
        known = importer.field_map(by)
        targets = [(index, known[key]) for index, key in sorted(run.by_column.items()) if key in known]
        users = user_names() if any(target.kind == "user" for _index, target in targets) else {}
        return cls(run, importer, targets, users)

    def remember(self, number: int, keys: Iterable[Key]) -> None:
        for key in keys:
            self.seen.setdefault(key, number)

    def stage(self, rows: Sequence[Row]) -> list[ImportRow]:
        """Unsaved ImportRows. A handful of queries for the whole batch."""
        staged = [self._read(row) for row in rows]
        sound = [row for row in staged if not row.errors]
        keys = {row.number: self.importer.keys(row.values) for row in sound}
        matches = self.importer.existing(
            {key for found in keys.values() for key in found}, by=self.run.uploaded_by
        )
        for row in sound:
            self._mark_duplicate(row, keys[row.number], matches)
        return staged

    def _read(self, row: Row) -> ImportRow:
        values, errors = read_values(self.targets, row.cells, self.users)
        if not errors:
            errors = missing(self.targets, values)
        if not errors:
            errors = [
                {"field": key, "column": self._column_of(key), "code": code, "params": {}}
                for code, key in self.importer.faults(values)
            ]
        status = ImportRow.Status.BAD if errors else ImportRow.Status.READY
        return ImportRow(
            run=self.run, number=row.number, cells=row.cells, values=values, errors=errors, status=status
        )

    def _column_of(self, key: str) -> int | None:
        return next((index for index, target in self.targets if target.key == key), None)

    def _mark_duplicate(self, row: ImportRow, keys: list[Key], matches: dict[Key, Match]) -> None:
        known = next((key for key in keys if key in matches), None)
        twin = next((key for key in keys if key in self.seen), None)
        first = row.number
        if known:
            match = matches[known]
            row.duplicate = {"by": known[0], "kind": match.kind, "id": match.id, "text": match.text}
        elif twin:
            first = self.seen[twin]
            row.duplicate = {"by": twin[0], "row": first}
        if row.duplicate:
            row.status = ImportRow.Status.DUPLICATE
        self.remember(first, keys)


def read_values(
    targets: list[tuple[int, ImportField]], row: list[str], users: dict[str, int]
) -> tuple[Values, list[dict]]:
    """The values of a row's mapped cells, and what is wrong with them."""
    values: Values = {}
    errors = []
    for index, target in targets:
        text = row[index] if index < len(row) else ""
        try:
            value, further = cells.clean(target, text, region=settings.CRM_COUNTRY, users=users)
        except cells.CellError as error:
            errors.append({"field": target.key, "column": index, "code": error.code, "params": error.params})
            continue
        _put(values, target, value)
        if further:
            values.setdefault(EXTRA, {}).setdefault(target.key, []).extend(further)
    return values, errors


def _put(values: Values, target: ImportField, value: Any) -> None:
    if value is None:
        return
    if target.joins and target.key in values:
        values[target.key] = f"{values[target.key]}\n{value}"
    else:
        values[target.key] = value


def missing(targets: list[tuple[int, ImportField]], values: Values) -> list[dict]:
    return [
        {"field": target.key, "column": index, "code": "required", "params": {}}
        for index, target in targets
        if target.required and target.key not in values
    ]


def user_names() -> dict[str, int]:
    """Active people by login, e-mail and full name; a name two people share means nobody."""
    found: dict[str, int] = {}
    for user in User.objects.filter(is_active=True):
        full = user.get_full_name()
        turned = f"{user.last_name} {user.first_name}"
        for name in {fold(user.username), fold(user.email), fold(full), fold(turned)} - {""}:
            found[name] = 0 if found.get(name, user.pk) != user.pk else user.pk
    return found


def message_of(importer: Importer, error: dict) -> str:
    """An error of a row in the reader's language."""
    text = importer.messages.get(error["code"]) or cells.MESSAGES.get(error["code"])
    return str(text) % error["params"] if text else error["code"]
