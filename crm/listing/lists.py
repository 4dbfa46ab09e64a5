"""Lists of records: visible rows only, filters from the address, keyset paging, counts that stop at a thousand.

    class LeadList(RecordList):
        model = Lead
        url_name = "leads:lead_list"
        fields = (Field("name", _("Name"), sort="sort_key"), …)
        default_columns = ("name", "source", "owner")
        quick = ("owner", "source")

A list costs three queries whatever the table's size: rows, counts, and what can be chosen from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import cached_property

from crm.listing.bulk.deeds import Deed, deeds_of
from crm.listing.conditions import WHO, Condition, combined, read_conditions, write_conditions
from crm.listing.counting import capped_counts
from crm.listing.fields import ATTRIBUTE_PREFIX, CHOSEN, Field, attribute_fields
from crm.listing.links import BulkLink, bulk_links
from crm.listing.offers import Offers, ViewOffer, read_offers
from crm.listing.paging import PAGE, PLACE, KeysetPages, read_cursor, write_cursor
from crm.people.access import kind_label
from crm.people.search import Searchable, matching

__all__ = ["PAGE", "RecordList", "list_of", "read_cursor", "register_list", "reopen", "write_cursor"]

COUNT_CAP = 1000
MOST_COLUMNS = 30
MOST_QUERY = 8000


@dataclass(frozen=True)
class Column:
    """A heading of a list without fields. `sort`: the indexed column it sorts by, empty for none."""

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


@dataclass(frozen=True)
class ReadyView:
    """A view that stands in the menu of views without anybody having saved it; `query` holds its filters."""

    key: str
    label: object
    query: str


class RecordList(KeysetPages):
    """One page of one list for one request. Subclasses set the class attributes and may override `joined`.

    `quick`: the fields with a chooser of their own above the list. `params` are the address's, or the default view's.
    `ready`: views that everybody finds in the menu.
    `pages`: other pages that show the same records under the same filters, such as a board, by name.
    `edit`: the service that writes a record, called with record, values, attributes, version and by.
    `edit_many` writes one of `many_fields` into the records of `pks` (field, value, by) and returns events by id.
    """

    model: type
    url_name = ""
    fields: tuple[Field, ...] = ()
    default_columns: tuple[str, ...] = ()
    quick: tuple[str, ...] = ()
    edit: Callable | None = None
    many_fields: tuple[str, ...] = ()
    edit_many: Callable | None = None
    columns: list = []
    default_sort = "-id"
    tab_field = ""
    tabs: list[tuple[str, str]] = []
    pages: dict[str, str] = {}
    ready: tuple[ReadyView, ...] = ()

    def __init__(self, user, params):
        self.user = user
        self.params = params
        self.hidden = user.access.hidden_fields(self.model)
        if self.hidden:
            self.fields = tuple(one for one in self.fields if not one.names & self.hidden)
            self.columns = [column for column in self.columns if column.key not in self.hidden]
        if self.fields:
            self.params = self._opening(params)
            self.columns = self._chosen_columns()
            self._forget_unknown()
        self.query = self.params.get("q", "").replace("\x00", "").strip()[:100] if self.is_searched else ""
        self.tab = self.params.get("tab", "")
        wanted = self.params.get("sort", "")
        self.sort = wanted if self._sortable(wanted) else self.default_sort

    @property
    def kind(self) -> str:
        return kind_label(self.model)

    # What there is to choose from

    @cached_property
    def offers(self) -> Offers:
        return read_offers(self.user, self.kind, self.fields)

    @cached_property
    def all_fields(self) -> list[Field]:
        """The kind's own fields, then the attributes that administrators gave it."""
        own = [one for one in attribute_fields(self.kind) if not one.names & self.hidden]
        return [*self.fields, *own]

    def field(self, key: str) -> Field | None:
        """The field of that key. Attributes are read from the database only when one is asked for."""
        known = self.all_fields if key.startswith(ATTRIBUTE_PREFIX) else self.fields
        return next((one for one in known if one.key == key), None)

    def _opening(self, params) -> QueryDict:
        """The address as it is; one of nothing but a view's number, or of nothing at all, opens a view."""
        if not isinstance(params, QueryDict):
            given, params = params, QueryDict(mutable=True)
            params.update(given)
        if set(params) - {"view", "row"} or params.get("view") == "0":
            return params
        view = self._view_of(params["view"]) if "view" in params else self.offers.default_view
        if view is None:
            return params
        opened = QueryDict(f"{view.query}&view={view.pk}", mutable=True)
        opened.update({name: params[name] for name in ("row",) if name in params})
        return opened

    def _view_of(self, number: str) -> ViewOffer | None:
        return next((view for view in self.offers.views if str(view.pk) == number), None)

    def _forget_unknown(self) -> None:
        """What is no field to this reader leaves the address: another's view must not name a hidden one."""
        params = self.params.copy()
        if any(name == "f" or name.startswith("f.") for name in params):
            write_conditions(params, self.conditions)
        if params.get("cols"):
            params["cols"] = ",".join(one.key for one in self.columns)
        if params.get("sort") and not self._sortable(params["sort"]):
            del params["sort"]
        self.params = params

    def _chosen_columns(self) -> list[Field]:
        wanted = [key for key in self.params.get("cols", "").split(",") if key][:MOST_COLUMNS]
        found = [one for key in dict.fromkeys(wanted) if (one := self.field(key)) is not None]
        return found or [one for key in self.default_columns if (one := self.field(key)) is not None]

    def _sortable(self, sort: str) -> bool:
        """Never by a field that is hidden from the reader: the order would tell its values."""
        column = sort.removeprefix("-")
        if column in self.hidden:
            return False
        if column.startswith(ATTRIBUTE_PREFIX):
            return bool(self.fields) and (one := self.field(column)) is not None and bool(one.sort)
        return column in {one.sort for one in (self.fields or self.columns) if one.sort}

    # Which rows

    @cached_property
    def visible(self) -> QuerySet:
        return self.model.objects.visible_to(self.user)

    @property
    def is_searched(self) -> bool:
        return issubclass(self.model, Searchable)

    def search(self, rows: QuerySet) -> QuerySet:
        """Those of the rows that the typed words mean."""
        return rows.filter(matching(self.query, self.user, self.model))

    @property
    def filters(self) -> list[Filter]:
        return [self._quick_filter(one) for key in self.quick if (one := self.field(key)) is not None]

    def _quick_filter(self, one: Field) -> Filter:
        if one.kind == "person":
            return Filter(
                one.key,
                one.label,
                lambda user: [*WHO.items(), *self.offers.of(one)],
                lambda value, user: Condition(one, "any", (value if value in WHO else int(value),)).q(
                    user, self.kind
                ),
            )
        return Filter(
            one.key,
            one.label,
            lambda user: self.offers.of(one),
            lambda value, user: Q(**{one.column: int(value) if one.kind != "choice" else value}),
        )

    @cached_property
    def active_filters(self) -> list[ActiveFilter]:
        """Every chooser with its present value; an unknown value counts as none."""
        found = []
        for one in self.filters:
            if one.key in self.hidden:
                continue
            choices = one.choices(self.user)
            value = self.params.get(one.key, "")
            known = value in {str(key) for key, _ in choices}
            found.append(ActiveFilter(one, value if known else "", choices))
        return found

    @cached_property
    def conditions(self) -> list[Condition]:
        """The further filters of the address."""
        return read_conditions(self.params, self.field) if self.fields else []

    @cached_property
    def filtered(self) -> QuerySet:
        """Visible rows under all filters, without the tab."""
        rows = self.visible
        if self.query:
            rows = self.search(rows)
        for active in self.active_filters:
            if active.value and (condition := active.filter.condition(active.value, self.user)) is not None:
                rows = rows.filter(condition)
        if self.conditions:
            rows = rows.filter(combined(self.conditions, self.user, self.kind))
        return rows

    @cached_property
    def matching_rows(self) -> QuerySet:
        if self.tab_field and self.tab in dict(self.tabs):
            return self.filtered.filter(**{self.tab_field: self.tab})
        return self.filtered

    def tab_counts(self) -> list[tuple[str, str, int]]:
        """(value, label, count) for each tab, at most COUNT_CAP + 1; one query, each status by its index."""
        rows = self.filtered.order_by()
        if not self.user.access.condition(self.model, "view"):
            # Who sees all: the newest first, by the index of the status. Unordered, PostgreSQL reads the table from
            # its start, where what is still open is rarest.
            rows = rows.order_by("-pk")
        parts = [(value, rows.filter(**{self.tab_field: value})) for value, _label in self.tabs]
        counts = capped_counts(parts, COUNT_CAP + 1)
        return [(value, label, counts[str(value)]) for value, label in self.tabs]

    @cached_property
    def count(self) -> int:
        """The number of matching rows, at most COUNT_CAP + 1, which pages show as "1000+"."""
        return self.matching_rows.order_by()[: COUNT_CAP + 1].count()

    def joined(self, rows: QuerySet) -> QuerySet:
        """Hook: joins the names that the columns show."""
        return rows

    def with_columns(self, rows: QuerySet) -> QuerySet:
        """The rows with what the chosen columns need."""
        joins = {join for one in self.columns for join in getattr(one, "joins", ())}
        return rows.select_related(*sorted(joins)) if joins else rows

    # Addresses

    @property
    def is_filtered(self) -> bool:
        return bool(
            self.query or self.tab or self.conditions or any(active.value for active in self.active_filters)
        )

    @property
    def view(self):
        """The saved view the address came from, None for none."""
        return self._view_of(self.params.get("view", ""))

    @property
    def ready_views(self) -> list[ReadyView]:
        """Those whose filters the reader may set."""
        asked = {view: view.query.removeprefix("f=").partition(":")[0] for view in self.ready}
        return [view for view, key in asked.items() if self.field(key) is not None]

    @property
    def query_string(self) -> str:
        """The list without the place in it: what a saved view, an export or a bulk edit keeps."""
        params = self.params.copy()
        for name in (*PLACE, "view"):
            params.pop(name, None)
        if self.sort != self.default_sort:
            params["sort"] = self.sort
        return params.urlencode()

    @property
    def actions(self) -> list[str]:
        """What the reader may do to many records at once."""
        if self.edit is None:
            return []
        found = [action for action in ("assign", "edit", "delete") if self.user.access.may(self.kind, action)]
        return [*found, "tag"] if "edit" in found and self.field("tags") is not None else found

    @property
    def deeds(self) -> list[Deed]:
        """What areas let the reader do to many records."""
        return deeds_of(self.user, self.kind)

    @property
    def has_bulk(self) -> bool:
        return bool(self.actions or self.deeds)

    @property
    def bulk_links(self) -> list[BulkLink]:
        """Pages of other rooms that the reader may open with the chosen records."""
        return bulk_links(self.user, self.kind)

    @cached_property
    def url(self) -> str:
        return reverse(self.url_name)

    @property
    def address(self) -> str:
        """The page that shows it: its own, or the one of `pages` that the address names with `as`."""
        return reverse(self.pages.get(self.params.get("as", ""), self.url_name))

    def names_for(self, condition: Condition) -> dict[str, str]:
        """Labels of what the condition compares with."""
        if condition.field.kind not in CHOSEN:
            return {}
        return {str(value): str(label) for value, label in self.offers.of(condition.field)}


_lists: dict[str, type[RecordList]] = {}


def register_list(*lists: type[RecordList]) -> None:
    """Called from an area's `AppConfig.ready()`: views, exports and bulk edits of the kind use this list."""
    _lists.update({kind_label(one.model): one for one in lists})


def all_lists() -> list[type[RecordList]]:
    """Every registered list, in the order of registration."""
    return list(_lists.values())


def list_of(kind: str) -> type[RecordList] | None:
    """The list of a kind, None for one that has none."""
    return _lists.get(kind)


def reopen(kind: str, query: str, user) -> RecordList | None:
    """The list of `kind` as its address had it (`RecordList.query_string`); None where there is no such list."""
    found = list_of(kind)
    return found and found(user, QueryDict(query[:MOST_QUERY] or "view=0"))
