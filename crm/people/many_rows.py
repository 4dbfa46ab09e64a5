"""Many narrow rows at once, past the model layer: several times quicker than `bulk_create` and `bulk_update`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from django.db import connection, models

# Their values, texts and whole numbers, go to both databases as they are.
_PLAIN = frozenset(
    (
        "CharField",
        "TextField",
        "AutoField",
        "BigAutoField",
        "IntegerField",
        "BigIntegerField",
        "PositiveIntegerField",
    )
)


def insert_rows(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence],
    *,
    ignore_conflicts: bool = False,
) -> int:
    """Inserts rows of the fields `names`, in one statement; for rows whose ids nobody asks for. How many it were.

    With `ignore_conflicts` those that a constraint forbids are left out, and not counted.

    Neither defaults of the model nor signals: every field without a default in the database has to be named.
    """
    fields = [model._meta.get_field(name) for name in names]
    into = f"INSERT INTO {_table(model)} ({', '.join(_columns(fields))})"
    if connection.vendor == "postgresql":
        statement = f"{into} SELECT * FROM {_arrays(tuple(fields))}"  # noqa: S608 our own names
    else:
        statement = f"{into} VALUES ({', '.join(['%s'] * len(fields))})"
    if ignore_conflicts:
        statement += " ON CONFLICT DO NOTHING"
    preparers = _preparers(fields)
    return _execute(statement, [_prepared(preparers, row) for row in rows])


def update_rows(model: type[models.Model], names: Sequence[str], rows: Mapping[int, Sequence]) -> None:
    """Writes the fields `names` of rows by their id, in one statement."""
    fields = [*(model._meta.get_field(name) for name in names), model._meta.pk]
    *columns, key = _columns(fields)
    table = _table(model)
    if connection.vendor == "postgresql":
        pairs = ", ".join(f"{column} = given.{column}" for column in columns)
        values = f"{_arrays(tuple(fields))} AS given ({', '.join([*columns, key])})"
        statement = f"UPDATE {table} SET {pairs} FROM {values} WHERE {table}.{key} = given.{key}"  # noqa: S608
    else:
        pairs = ", ".join(f"{column} = %s" for column in columns)
        statement = f"UPDATE {table} SET {pairs} WHERE {key} = %s"  # noqa: S608 our own names
    preparers = _preparers(fields)
    _execute(statement, [_prepared(preparers, (*row, pk)) for pk, row in rows.items()])


def _execute(statement: str, rows: list[tuple]) -> int:
    """PostgreSQL takes the columns as arrays, SQLite the rows one by one. How many rows were written."""
    if not rows:
        return 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(statement, [list(column) for column in zip(*rows, strict=True)])
        else:
            cursor.executemany(statement, rows)
        return cursor.rowcount


def _preparers(fields: Sequence[models.Field]) -> list[Callable | None]:
    """By column how its values become what the database takes; None for those that are it already."""
    return [None if _is_plain(field) else field.get_db_prep_save for field in fields]


def _is_plain(field: models.Field) -> bool:
    """Only Django's own kinds: a field built upon one, such as money, prepares its values itself."""
    target = field.target_field if field.is_relation else field
    return type(target).__name__ in _PLAIN and type(target).__module__.startswith("django.")


def _prepared(preparers: Sequence[Callable | None], row: Sequence) -> tuple:
    return tuple(
        value if prepare is None else prepare(value, connection)
        for prepare, value in zip(preparers, row, strict=True)
    )


def _table(model: type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _columns(fields: Sequence[models.Field]) -> list[str]:
    return [connection.ops.quote_name(field.column) for field in fields]


@cache
def _arrays(fields: tuple[models.Field, ...]) -> str:
    types = (
        field.rel_db_type(connection) if field.primary_key else field.db_type(connection) for field in fields
    )
    return f"unnest({', '.join(f'%s::{one}[]' for one in types)})"
