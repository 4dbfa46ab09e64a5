"""Fragments and beginnings of a record's folded text, found through an index on both databases.

PostgreSQL keeps trigrams in a GIN index. SQLite keeps them in an FTS5 table beside the record's own, filled by
triggers; since SQLite drops a table's triggers whenever Django remakes the table, they are looked for after every
migration. Names of tables and columns are the models' own.
"""

from __future__ import annotations

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.lookups import BuiltinLookup

LENGTH = 3
"""Fragments shorter than this stand in no index of trigrams."""
BEGINNING = 40
"""So many first characters of a text are indexed."""
_LAST = "\U0010ffff"


@models.TextField.register_lookup
class Holds(BuiltinLookup):
    """`search_text__holds="odz sp"`: a folded fragment of at least LENGTH characters."""

    lookup_name = "holds"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        return f"{column} LIKE %s", [*params, f"%{connection.ops.prep_for_like_query(self.rhs)}%"]

    def as_sqlite(self, compiler, connection):
        name = connection.ops.quote_name
        model = self.lhs.target.model
        beside = name(f"{model._meta.db_table}_fragments")
        row = f"{name(self.lhs.alias)}.{name(model._meta.pk.column)}"
        phrase = '"{}"'.format(self.rhs.replace('"', '""'))
        return f"{row} IN (SELECT rowid FROM {beside} WHERE {beside} MATCH %s)", [phrase]  # noqa: S608


class Beginning(models.Func):
    """The first BEGINNING characters of a folded text, in the order of its index: what begins so, shortest first."""

    arity = 1
    output_field = models.TextField()

    def as_postgresql(self, compiler, connection):
        column, params = compiler.compile(self.source_expressions[0])
        return _beginning(connection, column), params

    as_sqlite = as_postgresql


def _beginning(connection, column: str) -> str:
    if connection.vendor == "sqlite":
        return f"substr({column}, 1, {BEGINNING})"
    return f'left({column}, {BEGINNING}) COLLATE "C"'


@models.TextField.register_lookup
class Begins(BuiltinLookup):
    """`search_text__begins="lodz"`: a folded text begins so, as far as BEGINNING characters tell."""

    lookup_name = "begins"
    prepare_rhs = False

    def as_postgresql(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        pattern = connection.ops.prep_for_like_query(self.rhs[:BEGINNING])
        return f"{_beginning(connection, column)} LIKE %s", [*params, f"{pattern}%"]

    def as_sqlite(self, compiler, connection):
        column, params = self.process_lhs(compiler, connection)
        start, text = _beginning(connection, column), self.rhs[:BEGINNING]
        return f"({start} >= %s AND {start} < %s)", [*params, text, *params, text + _LAST]


def index_fragments(sender=None, using: str = DEFAULT_DB_ALIAS, **kwargs) -> None:
    """Gives every searchable kind the indexes it lacks. Receiver of `post_migrate`."""
    connection = connections[using]
    tables = connection.introspection.table_names()
    present = _present(connection)
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if hasattr(model, "searchable_parts") and table in tables:
                make = _on_sqlite if connection.vendor == "sqlite" else _on_postgresql
                for name, statements in make(table, model._meta.pk.column):
                    if name not in present:
                        for statement in statements:
                            cursor.execute(statement)


def _present(connection) -> set[str]:
    """The names of what the indexes are made of."""
    asked = (
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'index')"
        if connection.vendor == "sqlite"
        else "SELECT indexname FROM pg_indexes WHERE schemaname = ANY (current_schemas(false))"
    )
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return {name for (name,) in cursor.fetchall()}


def _on_postgresql(table: str, _pk: str) -> list[tuple[str, list[str]]]:
    return [
        (
            f"{table}_fragments",
            [
                "CREATE EXTENSION IF NOT EXISTS pg_trgm",
                f'CREATE INDEX {table}_fragments ON "{table}" USING gin (search_text gin_trgm_ops)',
            ],
        ),
        (
            f"{table}_starts",
            [
                f"DROP INDEX IF EXISTS {table}_beginnings",
                f'CREATE INDEX {table}_starts ON "{table}" ((left(search_text, {BEGINNING}) COLLATE "C"))',
            ],
        ),
    ]


def _on_sqlite(table: str, pk: str) -> list[tuple[str, list[str]]]:
    beside = f"{table}_fragments"
    leave = f"INSERT INTO {beside}({beside}, rowid, search_text) VALUES ('delete', old.{pk}, old.search_text)"  # noqa: S608
    enter = f"INSERT INTO {beside}(rowid, search_text) VALUES (new.{pk}, new.search_text)"  # noqa: S608
    triggers = [
        f'CREATE TRIGGER {beside}_insert AFTER INSERT ON "{table}" BEGIN {enter}; END',
        f'CREATE TRIGGER {beside}_delete AFTER DELETE ON "{table}" BEGIN {leave}; END',
        f'CREATE TRIGGER {beside}_update AFTER UPDATE OF search_text ON "{table}" '
        f"WHEN old.search_text <> new.search_text BEGIN {leave}; {enter}; END",
    ]
    return [
        (
            f"{beside}_update",
            [
                *(f"DROP TRIGGER IF EXISTS {beside}_{when}" for when in ("insert", "delete", "update")),
                f"CREATE VIRTUAL TABLE IF NOT EXISTS {beside} USING fts5"
                f"(search_text, content='{table}', content_rowid='{pk}', tokenize='trigram')",
                f"INSERT INTO {beside}({beside}) VALUES ('rebuild')",  # noqa: S608
                *triggers,
            ],
        ),
        (
            f"{table}_starts",
            [f'CREATE INDEX {table}_starts ON "{table}" (substr(search_text, 1, {BEGINNING}))'],
        ),
    ]
