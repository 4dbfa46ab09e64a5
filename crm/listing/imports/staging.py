"""From cells to staged rows: values, errors, and duplicates inside the file and among what exists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm.listing.imports import cells
from crm.listing.imports.lookups import find_records
from crm.listing.imports.registry import Importer, ImportField, Key, Match, Values
from crm.listing.models import Import, ImportRow
from crm.listing.sheets.reading import Row
from crm.people.company import company_country
from crm.people.folding import fold
from crm.people.models import User

# Beside the fields' own values: what a cell held beyond one value (a second phone), and by which field.
EXTRA = "_extra"
COUNTRY = "country"
MOST_UNKNOWN = 100


@dataclass
class Stager:
    """Turns rows into ImportRows, batch by batch, remembering the keys met so far and the values not known yet."""

    run: Import
    importer: Importer
    by: User
    targets: list[tuple[int, ImportField]]
    fixed: list[tuple[ImportField, str]] = field(default_factory=list)
    users: dict[str, int] = field(default_factory=dict)
    seen: dict[Key, int] = field(default_factory=dict)
    entries: dict[str, set[str]] = field(default_factory=dict)
    unknown: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Import, importer: Importer, by) -> Stager:
        known = importer.field_map(by)
        targets = [(index, known[key]) for index, key in sorted(run.by_column.items()) if key in known]
        fixed = [(known[key], text) for key, text in run.options.get("fixed", {}).items() if key in known]
        every = [target for _index, target in targets] + [target for target, _text in fixed]
        users = user_names() if any(target.kind == "user" for target in every) else {}
        stager = cls(run, importer, by, targets, fixed, users)
        stager.entries = {target.key: dictionary_names(target) for target in every if target.dictionary}
        return stager

    def remember(self, number: int, keys: Iterable[Key]) -> None:
        for key in keys:
            self.seen.setdefault(key, number)

    def keys(self, values: Values) -> list[Key]:
        return keys_of(self.run, self.importer, values)

    def stage(self, rows: Sequence[Row]) -> list[ImportRow]:
        """Unsaved ImportRows. A handful of queries for the whole batch."""
        staged = [self._read(self._corrected(row)) for row in rows]
        self._find_records(staged)
        for row in staged:
            self._judge(row)
        sound = [row for row in staged if not row.errors]
        keys = {row.number: self.keys(row.values) for row in sound}
        matches = self.importer.existing(
            {key for found in keys.values() for key in found}, by=self.run.uploaded_by
        )
        for row in sound:
            self._mark_duplicate(row, keys[row.number], matches)
        return staged

    def _corrected(self, row: Row) -> Row:
        """The row with what its uploader wrote over single cells and over all equal ones."""
        single = self.run.corrections.get("cells", {}).get(str(row.number), {})
        equal = self.run.corrections.get("values", {})
        if not single and not equal:
            return row
        cells = list(row.cells)
        for index, texts in equal.items():
            if int(index) < len(cells) and cells[int(index)] in texts:
                cells[int(index)] = texts[cells[int(index)]]
        for index, text in single.items():
            cells.extend([""] * (int(index) + 1 - len(cells)))
            cells[int(index)] = text
        return Row(row.number, cells)

    def _read(self, row: Row) -> ImportRow:
        country = self._country_of(row.cells)
        values, errors = read_values(self.targets, row.cells, self.users, country=country)
        self._add_fixed(values, errors, country)
        decision = self.run.corrections.get("decisions", {}).get(str(row.number), "")
        return ImportRow(
            run=self.run, number=row.number, cells=row.cells, values=values, errors=errors, decision=decision
        )

    def _country_of(self, row: list[str]) -> str:
        """The country the row names, by whose rules its numbers are read; "" for none or an unknown one."""
        written = [(target, row[index] if index < len(row) else "") for index, target in self.targets]
        for target, text in (*written, *self.fixed):
            if target.key == COUNTRY and text:
                try:
                    return cells.clean(target, text, region="")[0] or ""
                except cells.CellError:
                    return ""
        return ""

    def _add_fixed(self, values: Values, errors: list[dict], country: str) -> None:
        """What the uploader set for every row stands where the row itself says nothing."""
        wrong = {error["field"] for error in errors}
        for target, text in self.fixed:
            if target.key not in values and target.key not in wrong:
                found, more = read_values([(0, target)], [text], self.users, country=country)
                values |= found
                errors += [{**error, "column": None} for error in more]

    def _find_records(self, staged: list[ImportRow]) -> None:
        """Replaces the texts that mean records by (kind, id) pairs, for the whole batch at once."""
        every = [*self.targets, *((None, target) for target, _text in self.fixed)]
        for column, target in every:
            if target.kind != "record":
                continue
            texts = {row.values[target.key] for row in staged if isinstance(row.values.get(target.key), str)}
            found = find_records(target, texts, by=self.by) if texts else {}
            for row in staged:
                self._put_record(row, target, column, found)

    def _put_record(self, row: ImportRow, target: ImportField, column: int | None, found: dict) -> None:
        text = row.values.get(target.key)
        if not isinstance(text, str):
            return
        meant = found[text]
        if isinstance(meant, tuple):
            row.values[target.key] = list(meant)
        elif target.creatable and meant.code == "no_record":
            if text not in self.run.options.get("create", {}).get(target.key, ()):
                self._count_unknown(target, text)
                row.errors.append(fault(target.key, column, meant.code, text=text[:80]))
        else:
            row.errors.append(fault(target.key, column, meant.code, text=text[:80]))

    def _judge(self, row: ImportRow) -> None:
        if not row.errors:
            row.errors = missing(self.targets, row.values)
        if not row.errors:
            row.errors = [
                fault(key, self._column_of(key), code) for code, key in self.importer.faults(row.values)
            ]
        row.status = ImportRow.Status.BAD if row.errors else ImportRow.Status.READY
        for _index, target in self.targets:
            for text in texts_of(row.values, target.key) if target.dictionary else ():
                if fold(text) not in self.entries[target.key]:
                    self._count_unknown(target, text)

    def _count_unknown(self, target: ImportField, text: str) -> None:
        counts = self.unknown.setdefault(target.key, {})
        if text in counts or len(counts) < MOST_UNKNOWN:
            counts[text] = counts.get(text, 0) + 1

    def _column_of(self, key: str) -> int | None:
        return next((index for index, target in self.targets if target.key == key), None)

    def _mark_duplicate(self, row: ImportRow, keys: list[Key], matches: dict[Key, Match]) -> None:
        known = next((key for key in keys if key in matches), None)
        twin = next((key for key in keys if key in self.seen), None)
        first = row.number
        if known:
            match = matches[known]
            row.duplicate = {
                "by": known[0], "kind": match.kind, "id": match.id, "text": match.text, "updatable": match.updatable
            }  # fmt: skip
        elif twin:
            first = self.seen[twin]
            row.duplicate = {"by": twin[0], "row": first}
        if row.duplicate:
            row.status = ImportRow.Status.DUPLICATE
        self.remember(first, keys)


def keys_of(run: Import, importer: Importer, values: Values) -> list[Key]:
    """What tells a duplicate, of the keys the uploader chose; all of them unless he did."""
    chosen = run.options.get("keys")
    return [key for key in importer.keys(values) if not chosen or key[0] in chosen]


def dictionary_names(target: ImportField) -> set[str]:
    """Every folded name an entry of the column's dictionary goes by."""
    return {
        fold(name)
        for one in target.dictionary._default_manager.all()
        for name in (one.name, one.name_pl, getattr(one, "key", ""))
        if name
    }


def fault(key: str, column: int | None, code: str, **params: object) -> dict:
    return {"field": key, "column": column, "code": code, "params": params}


def texts_of(values: Values, key: str) -> list[str]:
    """The names a row gives for a field that holds one or several."""
    value = values.get(key)
    return [value] if value and isinstance(value, str) else value or []


def read_values(
    targets: list[tuple[int, ImportField]], row: list[str], users: dict[str, int], *, country: str = ""
) -> tuple[Values, list[dict]]:
    """The values of a row's mapped cells, and what is wrong with them."""
    values: Values = {}
    errors = []
    for index, target in targets:
        text = row[index] if index < len(row) else ""
        try:
            value, further = cells.clean(target, text, region=company_country(), country=country, users=users)
        except cells.CellError as error:
            errors.append(fault(target.key, index, error.code, **error.params))
            continue
        more = _put(values, target, value)
        if more or further:
            values.setdefault(EXTRA, {}).setdefault(target.key, []).extend([*more, *further])
    return values, errors


def _put(values: Values, target: ImportField, value: Any) -> list:
    """Stores the value; returns it when the field has one already and holds no second."""
    if value is None:
        return []
    if target.key not in values:
        values[target.key] = value
    elif target.kind in ("phone", "email"):
        return [value] if value != values[target.key] else []
    elif target.joins and isinstance(value, list):
        values[target.key] += [one for one in value if one not in values[target.key]]
    elif target.joins:
        values[target.key] = f"{values[target.key]}{target.glue}{value}"[: target.max_length]
    return []


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
