"""The page every list shares: heads that sort, filters that stay, a count that stops."""

import re
from types import SimpleNamespace

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from django.test import RequestFactory

from crm.listing.lists import Column


class SomeList:
    """Answers what a RecordList answers, without a database."""

    columns = [Column("name", "Name", "sort_key"), Column("amount", "Amount", "amount", "money")]
    tabs = [("open", "Open"), ("won", "Won")]
    default_sort = "-id"
    next_cursor = ""
    previous_cursor = ""
    count = 2

    def __init__(self, query="", rows=("Łódź <b>", "Ełk")):
        self.params = QueryDict(query)
        self.tab = self.params.get("tab", "")
        self.sort = self.params.get("sort", self.default_sort)
        self.query = self.params.get("q", "")
        self.page = [SimpleNamespace(pk=pk, name=name) for pk, name in enumerate(rows, start=1)]
        owner = SimpleNamespace(key="owner", label="Owner")
        value = self.params.get("owner", "")
        self.active_filters = [SimpleNamespace(filter=owner, value=value, choices=[("7", "Ewa")])]
        self.is_filtered = bool(self.query or self.tab or value)

    def tab_counts(self):
        return [("open", "Open", 1234), ("won", "Won", 1)]


@pytest.fixture
def show(rep):
    def show(query="", **changes):
        request = RequestFactory().get(f"/things/?{query}")
        request.user = rep
        rows = SomeList(query)
        for name, value in changes.items():
            setattr(rows, name, value)
        return render_to_string("components/list_page.html", {"list": rows}, request)

    return show


def test_tabs_keep_filters_and_forget_the_place(show):
    page = show("owner=7&after=xyz")
    assert 'href="?owner=7&amp;tab=won"' in page
    assert "after=" not in page[page.index('class="tabs"') : page.index("<tbody>")]
    assert "1,000+" in page and "1,234" not in page


def test_the_sorted_head_turns_round(show):
    assert '<a href="?sort=sort_key">Name </a>' in show()
    up = show("sort=sort_key")
    assert re.search(r'aria-sort="ascending"><a href="\?sort=-sort_key">Name <svg', up)
    assert 'aria-sort="descending"><a href="?sort=sort_key">' in show("sort=-sort_key")


def test_a_chosen_filter_is_selected_and_can_be_cleared(show):
    page = show("owner=7")
    assert '<option value="7" selected>Ewa</option>' in page
    assert '<a class="chip-clear" href="/things/">' in page
    assert "chip-clear" not in show()


def test_rows_are_escaped_and_counted(show):
    page = show()
    assert "<b>" not in page
    assert "2 records" in page
    assert "1,000+ records" in show(count=1001)


def test_the_pager_goes_on_and_back_to_the_first(show):
    page = show("owner=7&after=abc", next_cursor="def", previous_cursor="ghi")
    assert 'href="?owner=7&amp;before=ghi"' in page
    assert 'href="?owner=7&amp;after=def"' in page
    assert 'href="?owner=7"><svg' in page


def test_nothing_found_offers_to_show_everything(show):
    page = show("q=zzz", page=[])
    assert "Nothing matches these filters" in page
    assert 'class="btn btn-primary" href="/things/"' in page
