"""Loading rows by the hundred thousand: COPY on PostgreSQL, INSERT of many rows on SQLite."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import datetime

from django.core.management.color import no_style
from django.db import connection, models, transaction

from crm.money.fields import MoneyField
from crm.web.scale.bare import BareTables

BATCH = 20_000


class Table:
    """Rows of one model on their way into the database; their ids are counted here.

    Of columns not named in `names` every row gets the model's default. Moments are in UTC, to the second, or texts
    of such (`moment_text`).
    """

    def __init__(self, model: type[models.Model], names: str = "") -> None:
        self.model = model
        key, *rest = model._meta.concrete_fields
        wanted = names.split() or [field.attname for field in rest]
        known = {field.attname: field for field in rest}
        missing = [field for field in rest if field.attname not in wanted]
        self.names = wanted
        self.columns = [key.column, *(known[name].column for name in wanted), *(f.column for f in missing)]
        self._encoders = [_encoder(known[name]) for name in wanted]
        self._constants = [_default(field) for field in missing]
        self._rows: list[list] = []
        self.last_id = model._base_manager.aggregate(last=models.Max("pk"))["last"] or 0

    def add(self, *values) -> int:
        """One row of the named columns; returns its id."""
        self.last_id += 1
        encoded = [
            None if value is None else encode(value)
            for encode, value in zip(self._encoders, values, strict=True)
        ]
        self._rows.append([self.last_id, *encoded, *self._constants])
        if len(self._rows) >= BATCH:
            self.flush()
        return self.last_id

    def add_record(self, record: models.Model) -> int:
        """The values of an unsaved record, which gets its id; its derived columns must have been made."""
        row = record.__dict__
        record.pk = self.add(*(row[name] for name in self.names))
        return record.pk

    def flush(self) -> None:
        if not self._rows:
            return
        with transaction.atomic(), connection.cursor() as cursor:
            write = _copy if connection.vendor == "postgresql" else _insert
            write(cursor, self.model._meta.db_table, self.columns, self._rows)
        self._rows = []


def _encoder(field: models.Field) -> Callable:
    """How a column's Python value is spelled, the same for both databases; None never comes here."""
    if isinstance(field, models.JSONField):
        return _json
    if isinstance(field, models.DateTimeField):
        return moment_text
    if isinstance(field, models.DateField | models.DecimalField):
        return _text
    if isinstance(field, MoneyField):
        return lambda amount: int(amount * 100)
    return int if isinstance(field, models.BooleanField) else _same


def _default(field: models.Field):
    value = field.get_default()
    return None if value is None else _encoder(field)(value)


def _json(value) -> str:
    return "{}" if value == {} else json.dumps(value, ensure_ascii=False)


def moment_text(value: datetime | str) -> str:
    """A moment in UTC as both databases read it; worth making once where many rows share it."""
    return value if value.__class__ is str else str(value)[:19]


def _text(value) -> str:
    return str(value)


def _same(value):
    return value


_NULL = "\x01"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def _copy(cursor, table: str, columns: list[str], rows: list[list]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    text = "\n".join([_line(row) for row in rows])
    cursor.copy_expert(f"COPY \"{table}\" ({names}) FROM STDIN WITH (NULL E'\\x01')", io.StringIO(text))


def _line(row: list) -> str:
    """Nearly no row holds a sign that needs escaping, so the whole line is looked at before its parts."""
    parts = [_NULL if value is None else value if value.__class__ is str else str(value) for value in row]
    line = "\t".join(parts)
    if "\\" in line or "\n" in line or "\r" in line or line.count("\t") >= len(parts):
        return "\t".join([part.translate(_ESCAPES) for part in parts])
    return line


def _insert(cursor, table: str, columns: list[str], rows: list[list]) -> None:
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)  # noqa: S608 our own names


class Bulk:
    """All tables that are being filled. Indexes and foreign keys are put off until `finish`."""

    def __init__(self) -> None:
        self._tables: dict[type[models.Model], Table] = {}
        self._bare = BareTables()

    def table(self, model: type[models.Model], names: str = "") -> Table:
        """The one way into a model's table; the columns are named by whoever asks first."""
        if model not in self._tables:
            self._bare.strip(model._meta.db_table)
            self._tables[model] = Table(model, names)
        return self._tables[model]

    def rows(self) -> int:
        return sum(table.last_id for table in self._tables.values())

    def finish(self) -> None:
        """Writes what is left, and makes sequences, indexes and foreign keys right."""
        for table in self._tables.values():
            table.flush()
        with connection.cursor() as cursor:
            for statement in connection.ops.sequence_reset_sql(no_style(), list(self._tables)):
                cursor.execute(statement)
        self._bare.dress()
        self._tables = {}
