"""The board by owner and by month of close date: columns, sums, and what dropping a tile on another column does."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm.history.models import Event
from crm.listing.models import SavedView
from crm.people.models import FieldRule
from deals.groupings import MOST_COLUMNS, NONE, shift_month
from deals.models import Deal, DealStatus, StageTransition
from deals.services import request_stage
from funnel.models import Requirement
from tests.factories.counterparties import make_counterparty
from tests.factories.deals import make_deal, make_stage
from tests.factories.people import make_user

pytestmark = pytest.mark.django_db

BOARD = reverse("deals:deal_board")
DROP = {"HX-Request": "true", "HX-Target": "board-changes"}


def board(client, query):
    return client.get(f"{BOARD}?{query}").context["board"]


def layout(client, query):
    return {
        column.key: (column.count, column.worth, [tile.deal.name for tile in column.tiles])
        for column in board(client, query).columns
        if column.count
    }


def drop(client, deal, group, value, **more):
    tail, field = {"owner": ("assignment", "owner"), "month": ("close-month", "month")}[group]
    data = {field: value, **more}
    return client.post(f"/deals/{deal.pk}/{tail}/?group={group}", data, headers=DROP)


def rule(user, field, level):
    for role in user.roles.all():
        FieldRule.objects.create(role=role, kind="deals.deal", field=field, level=level)


def test_columns_by_owner_and_by_month_have_exact_counts_and_sums(rep, teammate, head, signed_in):
    theirs = make_counterparty(teammate, name="Inny")
    make_deal(rep, name="A", amount=Decimal(100), close_date=date(2031, 1, 31))
    make_deal(rep, name="B", amount=Decimal("20.50"), close_date=date(2031, 1, 1))
    make_deal(teammate, name="C", amount=Decimal(7), counterparty=theirs)
    won = make_deal(rep, name="W", amount=Decimal(5000))
    request_stage(deal=won, status=DealStatus.WON, by=rep)
    Deal.objects.filter(pk=make_deal(rep, name="N", amount=Decimal(3)).pk).update(owner=None)
    client = signed_in(head)
    assert layout(client, "group=owner") == {
        str(rep.pk): (2, Decimal("120.50"), ["B", "A"]),
        str(teammate.pk): (1, Decimal(7), ["C"]),
        NONE: (1, Decimal(3), ["N"]),
    }
    assert layout(client, "group=month") == {
        "2031-01": (2, Decimal("120.50"), ["B", "A"]), NONE: (2, Decimal(10), ["N", "C"]),
    }  # fmt: skip
    assert layout(client, f"group=owner&owner={rep.pk}&f=amount:min:50").keys() == {str(rep.pk)}
    assert [column.key for column in board(client, "group=nonsense").columns] == [
        str(make_stage(key).pk) for key in ("qualification", "needs", "proposal", "contract")
    ]
    assert board(client, "group=owner").columns[0].person == head
    months = [column.key for column in board(client, "group=month").columns]
    assert months[:3] == [f"{shift_month(timezone.localdate(), ahead):%Y-%m}" for ahead in range(3)]


def test_a_column_comes_page_by_page_and_when_looked_at(rep, head, signed_in, django_assert_max_num_queries):
    client, counterparty, first = signed_in(rep), make_counterparty(rep), date(2031, 3, 1)
    deals = [
        make_deal(rep, name=f"Deal {n}", counterparty=counterparty, close_date=first + timedelta(days=n))
        for n in range(23)
    ]
    for ahead in range(8):
        close = shift_month(date(2031, 4, 1), ahead)
        make_deal(rep, name=f"Later {ahead}", counterparty=counterparty, close_date=close)
    shown = board(client, "group=month")
    (column,) = [one for one in shown.columns if one.key == "2031-03"]
    assert [tile.deal for tile in column.tiles] == deals[:20]
    more = client.get(
        reverse("deals:deal_column"), {"group": "month", "column": "2031-03", "after": column.cursor}
    )
    assert [tile.deal for tile in more.context["column"].tiles] == deals[20:]
    unread = [one for one in shown.columns if one.is_unread]
    assert [(one.key, one.count, one.tiles) for one in unread] == [
        (f"2031-{month:02}", 1, []) for month in (9, 10, 11)
    ]
    late = client.get(reverse("deals:deal_column"), {"group": "month", "column": "2031-11"})
    assert [tile.deal.name for tile in late.context["column"].tiles] == ["Later 7"]
    for column in ("2031-12", "9999-99", "", str(10**30), "\x00"):
        answer = client.get(reverse("deals:deal_column"), {"group": "month", "column": column})
        assert answer.status_code == 404, column
    for ahead in range(MOST_COLUMNS):
        make_deal(rep, counterparty=counterparty, close_date=shift_month(date(2040, 1, 1), ahead))
    assert len(board(client, "group=month").columns) == MOST_COLUMNS
    with django_assert_max_num_queries(12):
        assert b"more columns are not shown" in client.get(f"{BOARD}?group=month").content


@pytest.mark.parametrize("group", ["owner", "month"])
def test_it_costs_the_same_for_one_and_for_fifty(rep, head, signed_in, group):
    def cost():
        with CaptureQueriesContext(connection) as queries:
            signed.get(f"{BOARD}?group={group}")
        return len(queries)

    counterparty, signed = make_counterparty(rep), signed_in(head)
    make_deal(rep, counterparty=counterparty, close_date=date(2031, 1, 1))
    signed.get(BOARD)
    alone = cost()
    for number in range(50):
        owner = make_user(f"seller{number}", department=rep.department) if number % 5 == 0 else rep
        deal = make_deal(rep, name=f"D{number}", counterparty=counterparty)
        close = shift_month(date(2031, 1, 1), number % 7)
        Deal.objects.filter(pk=deal.pk).update(owner=owner, close_date=close)
    assert cost() == alone <= 12


def test_dropping_on_another_owner_hands_the_deal_over_and_can_be_undone(rep, teammate, head, signed_in):
    deal = make_deal(rep, amount=Decimal(10))
    client = signed_in(head)
    answer = drop(client, deal, "owner", teammate.pk, version=deal.version)
    (tile,) = answer.context["tiles"]
    assert (answer.status_code, tile.place, tile.deal.owner) == (200, str(teammate.pk), teammate)
    event = Event.objects.filter(kind="deal_changed", subject_id=deal.pk).latest("pk")
    assert [(change.field, change.new_text) for change in event.changes.all()] == [("owner", str(teammate))]
    assert StageTransition.objects.filter(deal=deal, cause="owner", owner=teammate, actor=head).count() == 1
    undo = reverse("history:event_undo", args=[event.pk])
    assert undo in answer.headers["HX-Trigger"]
    undone = client.post(undo, headers={"HX-Request": "true"})
    assert f'"deal-changed": {{"id": {deal.pk}}}' in undone.headers["HX-Trigger"]
    assert Deal.objects.get(pk=deal.pk).owner == rep


@pytest.mark.parametrize(
    ("present", "month", "after"),
    [
        (date(2031, 1, 31), "2031-02", date(2031, 2, 28)),
        (date(2031, 1, 31), "2032-02", date(2032, 2, 29)),
        (date(2031, 1, 15), "2030-12", date(2030, 12, 15)),
        (None, "2031-04", date(2031, 4, 30)),
        (date(2031, 1, 15), "none", None),
    ],
)
def test_dropping_on_another_month_keeps_the_day(rep, signed_in, present, month, after):
    deal = make_deal(rep, close_date=present)
    answer = drop(signed_in(rep), deal, "month", month)
    assert (answer.status_code, answer.context["tiles"][0].place) == (200, month)
    deal.refresh_from_db()
    assert deal.close_date == after
    assert deal.close_date_slips == (1 if present and after and after > present else 0)
    assert StageTransition.objects.filter(deal=deal, cause="close_date", close_date=after).count() == 1


def test_the_column_left_empty_is_told_so(rep, teammate, head, signed_in):
    deal = make_deal(rep)
    client = signed_in(head)
    url = f"/deals/{deal.pk}/assignment/?group=owner&shown={rep.pk},{teammate.pk},none,x,%00"
    answer = client.post(url, {"owner": teammate.pk}, headers=DROP)
    assert {column.key: column.count for column in answer.context["board"].columns} == {
        str(head.pk): 0, str(rep.pk): 0, str(teammate.pk): 1, NONE: 0,
    }  # fmt: skip


@pytest.mark.parametrize("value", ["9999-99", "9999-12", "2031-1", "2031-13", "-", "", "\x00", "x" * 99])
def test_a_month_that_is_none_changes_nothing(rep, signed_in, value):
    deal = make_deal(rep, close_date=date(2031, 1, 15))
    answer = drop(signed_in(rep), deal, "month", value)
    assert answer.status_code == 422
    assert answer.context["tiles"][0].place == "2031-01"
    assert Deal.objects.get(pk=deal.pk).close_date == date(2031, 1, 15)


def test_nobody_hands_over_beyond_his_rights(rep, teammate, head, outsider, signed_in):
    deal, before = make_deal(rep), Event.objects.count()
    gone = make_user("gone", department=rep.department)
    type(gone).objects.filter(pk=gone.pk).update(is_active=False)
    for value in (outsider.pk, gone.pk, 10**30, "x", "", "none"):
        answer = drop(signed_in(head), deal, "owner", value)
        assert answer.status_code == 422, value
        assert answer.context["tiles"][0].place == str(rep.pk)
    assert drop(signed_in(outsider), deal, "owner", outsider.pk).status_code == 404
    assert drop(signed_in(teammate), deal, "owner", teammate.pk).status_code == 403
    assert drop(signed_in(teammate), deal, "month", "2031-01").status_code == 403
    assert signed_in(head).put(f"/deals/{deal.pk}/assignment/").status_code == 405
    assert (Deal.objects.get(pk=deal.pk).owner, Event.objects.count()) == (rep, before)


def test_a_read_only_field_fixes_the_tiles_and_a_hidden_one_hides_the_grouping(head, rep, signed_in):
    deal = make_deal(rep, close_date=date(2031, 1, 15))
    rule(head, "close_date", "readonly")
    client = signed_in(type(head).objects.get(pk=head.pk))
    (tile,) = [tile for column in board(client, "group=month").columns for tile in column.tiles]
    assert (tile.is_fixed, tile.may_go) == (True, False)
    assert drop(client, deal, "month", "2031-05").status_code == 403
    FieldRule.objects.update(level="hidden")
    shown = board(client, "group=month")
    assert ([one.key for one in shown.groupings], shown.grouping.key) == (["", "owner"], "")
    assert drop(client, deal, "month", "2031-05").status_code == 403
    assert Deal.objects.get(pk=deal.pk).close_date == date(2031, 1, 15)


def test_a_change_under_ones_hand_is_a_conflict_of_the_same_field_only(rep, teammate, head, signed_in):
    deal = make_deal(rep, close_date=date(2031, 1, 15), amount=Decimal(1))
    seen = deal.version
    client = signed_in(head)
    assert drop(client, deal, "month", "2031-02", version=seen).status_code == 200
    assert drop(client, deal, "owner", teammate.pk, version=seen).status_code == 200
    clash = drop(client, deal, "month", "2031-07", version=seen)
    assert (clash.status_code, clash.context["tiles"][0].place) == (409, "2031-02")


def test_a_waiting_deal_may_change_hands_but_not_its_stage(rep, head, signed_in):
    Requirement.objects.create(
        stage=make_stage("proposal"), kind="deals.fields", options={"fields_asked": ["amount"]}
    )
    deal = make_deal(rep)
    request_stage(deal=deal, stage=make_stage("proposal"), by=rep)
    client = signed_in(head)
    fixed = {
        group: [tile.is_fixed for column in board(client, f"group={group}").columns for tile in column.tiles]
        for group in ("", "owner", "month")
    }
    assert fixed == {"": [True], "owner": [False], "month": [False]}


def test_the_menu_offers_people_and_months_to_keyboards(rep, teammate, head, signed_in):
    deal = make_deal(rep, close_date=date(2031, 1, 15))
    client = signed_in(head)
    form = client.get(f"/deals/{deal.pk}/assignment/").context["form"]
    assert {rep, teammate, head} <= set(form.fields["owner"].queryset)
    months = client.get(f"/deals/{deal.pk}/close-month/", headers={"HX-Request": "true"})
    offered = [key for key, _label in months.context["form"].fields["month"].widget.choices]
    assert (len(offered), offered[-2:]) == (14, ["2031-01", NONE])
    sent = client.post(f"/deals/{deal.pk}/close-month/", {"month": "2031-01"})
    assert sent.headers["Location"] == f"/deals/{deal.pk}/"
    bad = client.post(f"/deals/{deal.pk}/close-month/", {"month": "2031-99"}, headers={"HX-Request": "true"})
    assert bad.status_code == 422 and "There is no such month" in bad.content.decode()


def test_views_and_filters_keep_the_grouping(rep, signed_in):
    make_deal(rep, name="Big", amount=Decimal(5000), close_date=date(2031, 1, 1))
    make_deal(rep, name="Small", amount=Decimal(1), close_date=date(2031, 1, 1))
    client = signed_in(rep)
    sent = {"kind": "deals.deal", "query": "as=board&group=month&f=amount:min:1000", "name": "Big by month"}
    assert "group=month" in client.post("/lists/views/new/", sent).headers["Location"]
    view = SavedView.objects.get()
    opened = board(client, f"funnel=new&view={view.pk}")
    assert opened.grouping.key == "month"
    assert layout(client, f"view={view.pk}") == {"2031-01": (1, Decimal(5000), ["Big"])}
    page = client.get(f"{BOARD}?view={view.pk}").content.decode()
    assert '<option value="month" selected>' in page
    assert "group=month" in opened.narrowed.query_string
