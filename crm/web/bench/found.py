"""The pages that are found by themselves: every registered list, every kind's card with its panels, plain addresses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import NoReverseMatch, get_resolver, reverse

from crm.history.models import EventLink
from crm.listing.lists import RecordList, all_lists, write_cursor
from crm.people.kinds import RecordKind, all_kinds
from crm.people.search import Searchable
from crm.web.bench.pages import Page, bench_pages
from crm.web.registry import card_panels

DEEP = 5000
"""How far down the list the deep page lies."""
# Not pages of the product's own, or pages that only answer to what was just done.
NOT_MEASURED = ("admin", "account", "mfa", "web:style", "socialaccount")


@bench_pages
def lists(user) -> Iterator[Page]:
    for made in all_lists():
        if user.access.may(made.model, "view"):
            yield from _list_pages(made, user)


def _list_pages(made: type[RecordList], user) -> Iterator[Page]:
    url, name = reverse(made.url_name), str(made.model._meta.verbose_name_plural)
    yield Page(name, "list", url)
    for label, query in _queries(made, user):
        yield Page(f"{name}: {label}", "list", f"{url}?{urlencode(query)}")


def _queries(made: type[RecordList], user) -> Iterator[tuple[str, dict]]:
    """(what it shows, parameters): tabs, choosers, orders and their deep pages, and searches."""
    tabs = [value for value, _label in made.tabs]
    everything = {"tab": "all"} if tabs else {}
    if tabs:
        yield "all", everything
        yield f"tab {tabs[-1]}", {"tab": tabs[-1]}
    opened = made(user, {**everything, "view": "0"})
    for active in opened.active_filters:
        values = [str(value) for value, _label in active.choices if str(value)]
        mine = str(user.pk) if str(user.pk) in values else values[0] if values else ""
        if mine:
            yield f"one {active.filter.key}", {active.filter.key: mine}
    for sort in dict.fromkeys(
        [opened.default_sort, *(one.sort for one in opened.columns if one.sort), "-id"]
    ):
        if cursor := _deep_cursor(made, user, {**everything, "sort": sort}):
            yield f"by {sort}", {**everything, "sort": sort}
            yield f"by {sort}, deep", {**everything, "sort": sort, "after": cursor}
    if not issubclass(made.model, Searchable):
        return
    for label, text in (("frequent", "ski"), ("rare", _rare_fragment(opened)), ("absent", "zzqxy")):
        if text:
            yield f"search {label}", {**everything, "q": text}


def _deep_cursor(made: type[RecordList], user, query: dict) -> str:
    """The cursor after some thousand rows, or after half of a smaller list."""
    opened = made(user, query)
    if opened.sort != query["sort"]:
        return ""
    rows = opened.ordered(opened.matching_rows)
    place = min(DEEP, opened.matching_rows.count() // 2)
    row = rows[place : place + 1].first() if place else None
    if row is None:
        return ""
    value = getattr(row, opened._column, None)
    return write_cursor(value if value is None else str(value), row.pk)


def _rare_fragment(opened: RecordList) -> str:
    """Some letters from the middle of a record's text that few others have."""
    text = next(iter(opened.visible.order_by("pk").values_list("search_text", flat=True)[:1]), "")
    pairs = [" ".join((one[1:], other[:-1])) for one, other in pairwise(text.split())]
    return max(pairs, key=len, default="")


@bench_pages
def cards(user) -> Iterator[Page]:
    for kind in all_kinds():
        if not user.access.may(kind.label, "view") or (pk := _busiest(kind, user)) is None:
            continue
        name = str(kind.name)
        yield Page(f"{name} card", "card", kind.url(pk))
        yield Page(
            f"{name} history", "panel", reverse("history:card_history", args=[kind.label, pk]), fragment=True
        )
        for panel in card_panels(kind.label):
            yield Page(f"{name}: {panel.key}", "panel", reverse(panel.url_name, args=[pk]), fragment=True)


def _busiest(kind: RecordKind, user) -> int | None:
    """Of the latest records that the user sees, the one with the longest history."""
    pks = list(kind.visible(user).order_by("-pk").values_list("pk", flat=True)[:200])
    links = EventLink.objects.filter(kind=kind.label, record_id__in=pks).order_by()
    found = links.values_list("record_id").annotate(found=Count("pk")).order_by("-found", "record_id").first()
    return found[0] if found else pks[0] if pks else None


@bench_pages
def plain(user) -> Iterator[Page]:
    """What can be opened without naming a record; whether this user may, the measuring finds out."""
    for name in _plain_names(get_resolver().url_patterns):
        try:
            yield Page(name.replace(":", " ").replace("_", " "), "page", reverse(name))
        except NoReverseMatch:
            continue


def _plain_names(patterns, space: str = "") -> Iterator[str]:
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from _plain_names(pattern.url_patterns, pattern.namespace or space)
            continue
        name = f"{space}:{pattern.name}" if space else str(pattern.name)
        if not pattern.pattern.converters and not name.startswith(NOT_MEASURED):
            yield name


@bench_pages
def search(user) -> Iterator[Page]:
    """What people type into the box: a surname, folded letters, an end of a number, several words, nothing there is."""
    typed = ("kowalski", "lodz", "zak", "601 23", "brzoza krakow", "ksander", "qqzzx")
    for text in typed:
        yield Page(
            f"search “{text}”",
            "search",
            f"{reverse('web:palette')}?{urlencode({'q': text})}",
            fragment=True,
        )
