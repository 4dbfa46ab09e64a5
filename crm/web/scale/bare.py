"""Tables without secondary indexes and foreign keys while they are filled: making these at once is far quicker."""

from __future__ import annotations

from django.db import connection

_CONSTRAINTS = """
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %s::regclass AND contype IN ('f', 'u') ORDER BY contype DESC, conname
"""
_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()
    AND indexname NOT IN (SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u'))
"""
_SQLITE_INDEXES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = %s AND sql IS NOT NULL"
)


class BareTables:
    """Remembers what it took away; foreign keys are checked when they come back."""

    def __init__(self) -> None:
        self._indexes: list[str] = []
        self._constraints: list[str] = []

    def strip(self, table: str) -> None:
        if connection.vendor == "postgresql":
            connection.check_constraints()  # a table with checks outstanding cannot be altered
            for name, definition in self._ask(_CONSTRAINTS, table):
                self._run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')
                self._constraints.append(f'ALTER TABLE "{table}" ADD CONSTRAINT "{name}" {definition}')
        else:
            connection.disable_constraint_checking()
        query = _INDEXES if connection.vendor == "postgresql" else _SQLITE_INDEXES
        for name, definition in self._ask(query, table):
            self._run(f'DROP INDEX "{name}"')
            self._indexes.append(definition)

    def dress(self) -> None:
        """Puts everything back. Raises IntegrityError when the rows break a constraint."""
        if connection.vendor == "postgresql":
            self._run("SET maintenance_work_mem = '256MB'")
        for statement in self._indexes + sorted(self._constraints, key=lambda text: "FOREIGN KEY" in text):
            self._run(statement)
        self._run(
            "VACUUM ANALYZE" if _outside_transaction() and connection.vendor == "postgresql" else "ANALYZE"
        )
        if connection.vendor == "sqlite":
            connection.enable_constraint_checking()
            connection.check_constraints()

    def _ask(self, query: str, table: str) -> list[tuple[str, str]]:
        with connection.cursor() as cursor:
            cursor.execute(query, [table])
            return cursor.fetchall()

    def _run(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


def _outside_transaction() -> bool:
    return not connection.in_atomic_block
