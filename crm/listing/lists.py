"""Lists of records: visible rows only, filters from the address, keyset paging, counts that stop at a thousand.

    class LeadList(RecordList):
        model = Lead
        columns = [Column("name", _("Name"), sort="sort_key"), …]
        filters = [ChoiceFilter("status", …), OwnerFilter()]

A list costs three queries whatever the table's size: rows, capped count, counts by tab.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.utils.functional import cached_property

from crm.people.fields import mask
from crm.people.search import matching

PAGE = 50
COUNT_CAP = 1000


@dataclass(frozen=True)
class Column:
    """`sort`: the indexed column the heading sorts by, empty for none. `kind`: text, money, date, person, number."""

    key: str
    label: str
    sort: str = ""
    kind: str = "text"


@dataclass(frozen=True)
class Filter:
    """One filter chip: `choices(user)` gives (value, label) pairs, `condition(value, user)` a Q or None."""

    key: str
    label: str
    choices: Callable[[object], list[tuple[str, str]]]
    condition: Callable[[str, object], Q | None]


@dataclass(frozen=True)
class ActiveFilter:
    filter: Filter
    value: str
    choices: list[tuple[str, str]]

    @property
    def shown(self) -> str:
        return str({str(key): label for key, label in self.choices}.get(self.value, ""))


class RecordList:
    """One page of one list for one request. Subclasses set the class attributes and may override `rows`."""

    model: type
    columns: list[Column] = []
    filters: list[Filter] = []
    default_sort = "-id"
    tab_field = ""
    tabs: list[tuple[str, str]] = []

    def __init__(self, user, params):
        self.user = user
        self.params = params
        self.query = params.get("q", "").strip()[:100]
        self.tab = params.get("tab", "")
        self.sort = params.get("sort", "") if self._sortable(params.get("sort", "")) else self.default_sort

    def _sortable(self, sort: str) -> bool:
        """Never by a field that is hidden from the reader: the order would tell its values."""
        hidden = self.user.access.hidden_fields(self.model)
        columns = [column for column in self.columns if column.sort and column.key not in hidden]
        return sort.lstrip("-") in {column.sort for column in columns} - hidden

    @cached_property
    def visible(self) -> QuerySet:
        return self.model.objects.visible_to(self.user)

    @cached_property
    def active_filters(self) -> list[ActiveFilter]:
        """Every filter with its present value; an unknown value counts as none."""
        found = []
        hidden = self.user.access.hidden_fields(self.model)
        for one in self.filters:
            if one.key in hidden:
                continue
            choices = one.choices(self.user)
            value = self.params.get(one.key, "")
            known = value in {str(key) for key, _ in choices}
            found.append(ActiveFilter(one, value if known else "", choices))
        return found

    @cached_property
    def filtered(self) -> QuerySet:
        """Visible rows under all filters, without the tab."""
        rows = self.visible
        if self.query:
            rows = rows.filter(matching(self.query, self.user, self.model))
        for active in self.active_filters:
            if active.value and (condition := active.filter.condition(active.value, self.user)) is not None:
                rows = rows.filter(condition)
        return rows

    @cached_property
    def matching_rows(self) -> QuerySet:
        if self.tab_field and self.tab in dict(self.tabs):
            return self.filtered.filter(**{self.tab_field: self.tab})
        return self.filtered

    def tab_counts(self) -> list[tuple[str, str, int]]:
        """(value, label, count) for each tab; one query, each status by its index."""
        counts = dict(self.filtered.order_by().values_list(self.tab_field).annotate(Count("pk")))
        return [(value, label, counts.get(value, 0)) for value, label in self.tabs]

    @cached_property
    def count(self) -> int:
        """The number of matching rows, at most COUNT_CAP + 1, which pages show as "1000+"."""
        return self.matching_rows.order_by()[: COUNT_CAP + 1].count()

    def joined(self, rows: QuerySet) -> QuerySet:
        """Hook: joins the names that the columns show."""
        return rows

    @cached_property
    def page(self) -> list:
        """At most PAGE rows from the cursor on, joined after the limit."""
        return self._window[:PAGE]

    @cached_property
    def _window(self) -> list:
        # Joined after the limit: the names are fetched for one page's rows only.
        few = self._after(self.matching_rows).order_by(*self._ordering).values("pk")[: PAGE + 1]
        rows = list(self.joined(self.model.objects.filter(pk__in=few)).order_by(*self._ordering))
        mask(self.user, rows)
        return rows

    @property
    def _column(self) -> str:
        return self.sort.lstrip("-")

    @property
    def _ordering(self) -> list:
        if self._column in {"id", "pk"}:
            return [self.sort]
        if self.sort.startswith("-"):
            return [F(self._column).desc(nulls_last=True), "-pk"]
        return [F(self._column).asc(nulls_last=True), "pk"]

    def _after(self, rows: QuerySet) -> QuerySet:
        cursor = read_cursor(self.params.get("after", ""))
        if cursor is None:
            return rows
        value, pk = cursor
        sign = "lt" if self.sort.startswith("-") else "gt"
        if self._column in {"id", "pk"}:
            return rows.filter(**{f"pk__{sign}": pk})
        if value is None:
            return rows.filter(**{f"{self._column}__isnull": True, f"pk__{sign}": pk})
        try:
            value = self.model._meta.get_field(self._column).to_python(value)
        except Exception:
            return rows
        beyond = Q(**{f"{self._column}__{sign}": value}) | Q(**{self._column: value, f"pk__{sign}": pk})
        return rows.filter(beyond | Q(**{f"{self._column}__isnull": True}))

    @property
    def next_cursor(self) -> str:
        """The `after` parameter of the next page, empty on the last."""
        if len(self._window) <= PAGE:
            return ""
        last = self.page[-1]
        value = getattr(last, self._column, None)
        return write_cursor(value if value is None else str(value), last.pk)

    @property
    def is_filtered(self) -> bool:
        return bool(self.query or self.tab or any(active.value for active in self.active_filters))


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


def owner_filter(label: str) -> Filter:
    """The records of one colleague, chosen among the active people the reader may see records of."""
    return Filter("owner", label, _owner_choices, lambda value, user: Q(owner_id=int(value)))


def _owner_choices(user) -> list[tuple[str, str]]:
    from crm.people.models import User

    people = User.objects.filter(is_active=True).only("pk", "first_name", "last_name", "username")
    return [(str(person.pk), str(person)) for person in people[:500]]
