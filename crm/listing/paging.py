"""Keyset paging: a page is found by the row it begins behind (or ends before), never by counting from the top."""

from __future__ import annotations

import base64
import binascii
import json

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.functional import cached_property

from crm.attributes.models import AttributeValue
from crm.listing.attached import attach
from crm.listing.fields import ATTRIBUTE_PREFIX, NUMBERS, Field
from crm.people.fields import mask

PAGE = 50
SORT_VALUE = "sort_value"
PLACE = ("after", "before", "row")
"""The parameters that say where in the list one stands."""


class KeysetPages:
    """The order of a list and one page of it, forward (`after`) and back (`before`).

    `row` in the address asks for that one row alone, whatever the filters: a row drawn anew after a change.
    """

    @cached_property
    def page(self) -> list:
        """At most PAGE rows from the cursor on, joined after the limit."""
        return self._window[-PAGE:] if self._goes_back else self._window[:PAGE]

    @cached_property
    def _cursor(self) -> tuple[str | None, int] | None:
        return read_cursor(self.params.get("after") or self.params.get("before") or "")

    @property
    def _goes_back(self) -> bool:
        return self._cursor is not None and not self.params.get("after")

    @property
    def _falls(self) -> bool:
        """Whether the rows are read from the greatest value down: the order's direction, turned when going back."""
        return self.sort.startswith("-") != self._goes_back

    @cached_property
    def _window(self) -> list:
        # Joined after the limit: the names are fetched for one page's rows only.
        few = self._read_order(self._beyond(self._with_value(self._rows_asked))).values("pk")[: PAGE + 1]
        chosen = self.model.objects.filter(pk__in=few)
        if self.edit is not None:
            # Only rows that the reader may change offer to be changed where they stand.
            chosen = chosen.with_rights(self.user, "edit")
        rows = list(self.with_columns(self.joined(self.ordered(chosen))))
        mask(self.user, rows)
        attach(rows, self.columns, self.kind, self.user)
        return rows

    @property
    def _rows_asked(self) -> QuerySet:
        row = self.params.get("row", "")
        known = row.isascii() and row.isdecimal() and len(row) < 19
        return self.visible.filter(pk=int(row)) if known else self.matching_rows

    def ordered(self, rows: QuerySet) -> QuerySet:
        """The rows in the order of the list."""
        return self._with_value(rows).order_by(*self._ordering(self.sort.startswith("-")))

    def _with_value(self, rows: QuerySet) -> QuerySet:
        if self._attribute is None:
            return rows
        values = AttributeValue.objects.filter(
            attribute__in=[one.pk for one in self._attribute.attributes],
            record_kind=self.kind,
            record_id=OuterRef("pk"),
        )
        return rows.annotate(**{SORT_VALUE: Subquery(values.values(self._value_column)[:1])})

    def _read_order(self, rows: QuerySet) -> QuerySet:
        return rows.order_by(*self._ordering(self._falls, turned=self._goes_back))

    def _ordering(self, falls: bool, *, turned: bool = False) -> list:
        """Rows without a value come last; read backwards, first."""
        sign = "-" if falls else ""
        if self._column in {"id", "pk"}:
            return [f"{sign}{self._column}"]
        nulls = {"nulls_first": True} if turned else {"nulls_last": True}
        column = F(self._column)
        return [column.desc(**nulls) if falls else column.asc(**nulls), f"{sign}pk"]

    @cached_property
    def _attribute(self) -> Field | None:
        column = self.sort.removeprefix("-")
        return self.field(column) if column.startswith(ATTRIBUTE_PREFIX) else None

    @property
    def _value_column(self) -> str:
        kind = self._attribute.kind
        return "number" if kind in (*NUMBERS, "person") else "date" if kind == "date" else "text"

    @property
    def _column(self) -> str:
        return SORT_VALUE if self._attribute is not None else self.sort.removeprefix("-")

    def _beyond(self, rows: QuerySet) -> QuerySet:
        """The rows behind the cursor, in the direction of reading."""
        if self._cursor is None:
            return rows
        value, pk = self._cursor
        sign = "lt" if self._falls else "gt"
        if self._column in {"id", "pk"}:
            return rows.filter(**{f"pk__{sign}": pk})
        empty = Q(**{f"{self._column}__isnull": True})
        if value is None:
            same = empty & Q(**{f"pk__{sign}": pk})
            return rows.filter(same | ~empty if self._goes_back else same)
        try:
            value = self._sort_field().to_python(value)
        except Exception:
            return rows
        beyond = Q(**{f"{self._column}__{sign}": value}) | Q(**{self._column: value, f"pk__{sign}": pk})
        return rows.filter(beyond if self._goes_back else beyond | empty)

    def _sort_field(self):
        if self._attribute is not None:
            return AttributeValue._meta.get_field(self._value_column)
        return self.model._meta.get_field(self._column)

    def _cursor_of(self, row) -> str:
        value = getattr(row, self._column, None)
        return write_cursor(value if value is None else str(value), row.pk)

    @property
    def next_cursor(self) -> str:
        """The `after` parameter of the next page, empty on the last."""
        more = self._goes_back or len(self._window) > PAGE
        return self._cursor_of(self.page[-1]) if more and self.page else ""

    @property
    def previous_cursor(self) -> str:
        """The `before` parameter of the previous page, empty on the first."""
        more = len(self._window) > PAGE if self._goes_back else self._cursor is not None
        return self._cursor_of(self.page[0]) if more and self.page else ""


def write_cursor(value: str | None, pk: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, pk]).encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[str | None, int] | None:
    """(sort value, pk), or None for anything that is not a cursor of ours."""
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(text[:600] + "=" * (-len(text) % 4)))
        good = (
            isinstance(pk, int)
            and not isinstance(pk, bool)
            and abs(pk) < 2**62
            and isinstance(value, str | None)
        )
        return (value, pk) if good else None
    except (ValueError, TypeError, binascii.Error):
        return None
