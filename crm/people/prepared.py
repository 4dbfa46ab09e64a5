"""Queries that are the same for everybody but for a few numbers or texts: written once, then only asked.

Django takes several milliseconds to write a union of five tables, the database a tenth of one to answer it, and every
page asks for the reader's rights and for what a list offers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

# What stands in the statement until the real values are known; no key and no constant of a query looks like them.
_NUMBERS = (-720_261_101, -720_261_102)
_TEXTS = ("~720261101", "~720261102")


class Prepared:
    """`build(*numbers, *texts)` gives a queryset of `values_list` that depends on nothing else, of numbers and texts
    only. It is asked in the same order.
    """

    def __init__(self, build: Callable[..., QuerySet], numbers: int, texts: int = 0) -> None:
        marks: tuple[int | str, ...] = _NUMBERS[:numbers] + _TEXTS[:texts]
        self._compiler = build(*marks).query.get_compiler(DEFAULT_DB_ALIAS)
        self._sql, self._params = self._compiler.as_sql()
        self._places = [
            (place, marks.index(value))
            for place, value in enumerate(self._params)
            if isinstance(value, int | str) and value in marks
        ]
        if {which for _place, which in self._places} != set(range(len(marks))):
            raise ValueError("a value does not stand in the query as it was given")

    def rows(self, *values: int | str) -> list[tuple]:
        """What the query finds for these values."""
        params = list(self._params)
        for place, which in self._places:
            params[place] = values[which]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, params)
            return cursor.fetchall()


class PreparedRecord(Prepared):
    """The same for one record with what is read beside it; `build` gives a queryset of records."""

    def __init__(self, build: Callable[..., QuerySet], numbers: int, texts: int = 0) -> None:
        super().__init__(build, numbers, texts)
        select, info = self._compiler.select, self._compiler.klass_info
        columns = [column for column, *_rest in select]
        self._model, fields = info["model"], info["select_fields"]
        self._own = slice(fields[0], fields[-1] + 1)
        self._names = [column.target.attname for column in columns[self._own]]
        self._converters = self._compiler.get_converters(columns)
        self._related = get_related_populators(info, select, DEFAULT_DB_ALIAS)

    def first(self, *values: int | str) -> Model | None:
        """The first record that the query finds for these values, as the queryset would give it."""
        return next(self._records(self.rows(*values)[:1]), None)

    def all(self, *values: int | str) -> list[Model]:
        """The records that the query finds for these values."""
        return list(self._records(self.rows(*values)))

    def _records(self, rows: list[tuple]) -> Iterator[Model]:
        for row in self._compiler.apply_converters(rows, self._converters):
            record = self._model.from_db(DEFAULT_DB_ALIAS, self._names, row[self._own])
            for related in self._related:
                related.populate(row, record)
            yield record
