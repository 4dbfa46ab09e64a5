"""How many rows stand behind each tab: every count stops at the same limit, and all of them are one query."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet


def capped_counts(parts: Iterable[tuple[str, QuerySet]], limit: int) -> dict[str, int]:
    """{name: how many rows, at most `limit`}. One query, which reads no further than it has to."""
    found: dict[str, int] = {}
    selects, params = [], []
    for name, rows in parts:
        found[str(name)] = 0
        try:
            sql, given = rows.values("pk")[:limit].query.sql_with_params()
        except EmptyResultSet:
            continue
        selects.append(f"SELECT %s, (SELECT COUNT(*) FROM ({sql}) counted)")  # noqa: S608 the ORM's own SQL
        params += [str(name), *given]
    if selects:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(selects), params)
            found |= dict(cursor.fetchall())
    return found
