"""A foreign record must not reach somebody who may not see it: not in one byte of any page, search, file or event."""

from __future__ import annotations

import pytest
import time_machine
from django.core import mail
from django.db.models import Max
from django.test import Client
from django.utils import timezone

from crm.notify.models import LiveRow, Notification
from crm.notify.streams import FIELDS, Row, heard_by
from crm.people.kinds import all_kinds
from crm.people.models import User
from crm.web.searching import find
from tests.conventions.test_access_walk import (
    files_of_the_demo,  # noqa: F401  (fixtures)
    media,  # noqa: F401
    own_addresses,
    records,  # noqa: F401
    target,
)
from tests.factories.canary import MARK, QUERIES, crawl, make_canary, settled, traces_in

pytestmark = pytest.mark.django_db
PAGES = 260


def browser(login: str) -> Client:
    client = Client(raise_request_exception=False)
    user = User.objects.get(username=login)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def test_a_foreign_record_changes_no_byte_for_an_outsider(records):  # noqa: F811
    """Everything an outsider reaches by links, before and after: the same addresses, the same bytes."""
    # Forms propose "now": the clock stands still between the two crawls.
    with time_machine.travel(timezone.now(), tick=False):
        before = crawl(browser("outsider"), most=PAGES)
        make_canary(User.objects.get(username="rep"))
        after = crawl(browser("outsider"), most=PAGES)
    assert len(before) >= 150
    assert list(after) == list(before)
    differing = [url for url in before if settled(before[url]) != settled(after[url])]
    assert differing == []
    assert {url: found for url, answer in after.items() if (found := traces_in(answer))} == {}


def test_no_address_of_the_walk_gives_it_away(records):  # noqa: F811
    """Every GET address of ours, asked about the canary's own numbers; the owner's answers prove the marker works."""
    canary = make_canary(User.objects.get(username="rep"))
    named = {**records, **canary}
    leaks, found_by_owner = [], 0
    clients = {login: browser(login) for login in ("outsider", "rep")}
    for name, pattern in own_addresses():
        url, _key, _record = target(name, pattern, named)
        for login, client in clients.items():
            for headers in ({}, {"HX-Request": "true"}):
                response = client.get(url, headers=headers)
                body = b"".join(response.streaming_content) if response.streaming else response.content
                found = traces_in(response.serialize_headers() + body)
                if login == "rep":
                    found_by_owner += bool(found)
                elif found:
                    leaks.append((name, found))
    assert leaks == []
    assert found_by_owner >= 30


def test_search_lists_and_counts_know_nothing_of_it(records):  # noqa: F811
    outsider = User.objects.get(username="outsider")
    before = {kind.label: kind.visible(outsider).count() for kind in all_kinds()}
    make_canary(User.objects.get(username="rep"))
    outsider = User.objects.get(username="outsider")
    assert {kind.label: kind.visible(outsider).count() for kind in all_kinds()} == before
    assert [find(outsider, query) for query in QUERIES] == [[]] * len(QUERIES)
    assert find(User.objects.get(username="rep"), MARK) != []


def test_live_rows_notifications_and_mails_do_not_name_it(records):  # noqa: F811
    outsider, rep = User.objects.get(username="outsider"), User.objects.get(username="rep")
    last = LiveRow.objects.aggregate(last=Max("pk"))["last"] or 0
    told = Notification.objects.filter(user=outsider).count()
    make_canary(rep)
    rows = [Row(*values) for values in LiveRow.objects.filter(pk__gt=last).values_list(*FIELDS)]
    assert len([row for row in heard_by(rep, rows) if row.record_id]) >= 5
    assert [row for row in heard_by(outsider, rows) if row.record_id or row.user_id] == []
    assert Notification.objects.filter(user=outsider).count() == told
    assert [letter for letter in mail.outbox if outsider.email in letter.to] == []
