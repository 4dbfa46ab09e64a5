"""Fields that a role may not write or see, in every channel: forms, cards, lists, order, search, history, imports."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from collab.calendar.models import Activity
from counterparties.models import Counterparty
from crm.attributes.models import Attribute
from crm.history.cards import card_history
from crm.history.models import Event
from crm.history.undoing import undo_event
from crm.listing.bulk.values import editable_fields
from crm.listing.exports.services import ExportRows
from crm.listing.models import Export
from crm.people.access import register_category_rule
from crm.people.fields import mask, restrictable
from crm.people.models import FieldRule, Role, RoleScope, User
from crm.people.reasons import holder_of
from crm.web.searching import find
from deals.board import read_board
from deals.lists import DealList
from deals.models import Deal
from deals.services import edit_deal
from leads.forms import LeadForm
from leads.import_fields import fields_for
from leads.lists import LeadList
from leads.models import Lead
from tests.factories.bpm import make_example, make_waiting, task_of
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead, make_source

DEAL, LEAD, CONTACT = "deals.deal", "leads.lead", "counterparties.contact"
WORTH = frozenset({"amount", "lines", "payments", "worth"})
"""What a rule on the amount of a deal reaches."""


@pytest.fixture
def restrict(company):
    def add(user: User, kind: str, level: str = "hidden", *fields: str, role: str = "seller") -> User:
        for field in fields:
            FieldRule.objects.create(role=Role.objects.get(key=role), kind=kind, field=field, level=level)
        return User.objects.get(pk=user.pk)

    return add


@pytest.fixture
def deal(rep):
    return make_deal(rep, amount=Decimal("7654321.09"), attributes={"source_note": "Zsekret"})


# Whose word counts


def test_the_most_permissive_role_wins(restrict, rep):
    rep.roles.add(Role.objects.get(key="head"))
    assert restrict(rep, DEAL, "hidden", "amount").access.field_levels(DEAL) == {}
    assert restrict(rep, DEAL, "readonly", "amount", role="head").access.field_levels(DEAL) == (
        dict.fromkeys(WORTH, "readonly")
    )


def test_a_role_that_does_not_see_the_kind_has_no_word(restrict, rep):
    """Marketing sees no deals, so that being in it as well opens nothing."""
    rep.roles.add(Role.objects.get(key="marketing"))
    assert restrict(rep, DEAL, "hidden", "amount").access.hidden_fields(DEAL) == WORTH


def test_somebody_with_shares_alone_is_held_to_his_roles(restrict, marketing):
    assert restrict(marketing, DEAL, "hidden", "amount", role="marketing").access.hidden_fields(DEAL) == WORTH


def test_what_may_be_restricted():
    offered = restrictable(Deal)
    assert {name: hideable for name, (_label, hideable) in offered.items()} == {
        "name": False, "counterparty": False, "deal_type": False, "amount": True, "currency": False,
        "close_date": True, "postponed_until": True, "loss_reason": True,
    }  # fmt: skip


# Channels


def test_the_card_and_its_fragment(restrict, rep, deal, signed_in):
    client, url = signed_in(rep), reverse("deals:deal_detail", args=[deal.pk])
    assert "7,654,321" in client.get(url).content.decode()
    restrict(rep, DEAL, "hidden", "amount", "attr_source_note")
    for headers in ({}, {"HX-Request": "true"}):
        html = client.get(url, headers=headers).content.decode()
        assert "Opened" in html
        assert "7,654,321" not in html
        assert "Zsekret" not in html


def test_the_form_has_no_hidden_field_and_a_forged_one_is_ignored(restrict, rep, deal, signed_in):
    restrict(rep, DEAL, "hidden", "amount", "attr_source_note")
    client, url = signed_in(rep), reverse("deals:deal_update", args=[deal.pk])
    form = client.get(url).context["form"]
    assert {"amount", "attr_source_note"} & set(form.fields) == set()
    data = {
        "name": "Renamed", "counterparty": deal.counterparty_id, "currency": "PLN", "version": deal.version,
        "owner": rep.pk, "amount": "1", "attr_source_note": "forged",
    }  # fmt: skip
    assert client.post(url, data).status_code == 302
    deal.refresh_from_db()
    assert (deal.name, deal.amount, deal.attributes) == (
        "Renamed",
        Decimal("7654321.09"),
        {"source_note": "Zsekret"},
    )
    assert "renamed" in deal.search_text


def test_a_read_only_field_is_shown_locked_and_a_forged_one_is_ignored(restrict, rep, deal, signed_in):
    restrict(rep, DEAL, "readonly", "amount", "attr_source_note")
    client, url = signed_in(rep), reverse("deals:deal_update", args=[deal.pk])
    html = client.get(url).content.decode()
    assert "7654321.09" in html.replace(",", "").replace("\xa0", "")
    assert client.get(url).context["form"].fields["amount"].disabled
    data = {
        "name": deal.name, "counterparty": deal.counterparty_id, "currency": "PLN", "version": deal.version,
        "owner": rep.pk, "amount": "1", "attr_source_note": "forged",
    }  # fmt: skip
    assert client.post(url, data).status_code == 302
    deal.refresh_from_db()
    assert (deal.amount, deal.attributes["source_note"], deal.version) == (
        Decimal("7654321.09"),
        "Zsekret",
        1,
    )


def test_the_service_refuses_whatever_the_channel(restrict, rep, deal):
    user = restrict(rep, DEAL, "readonly", "amount", "attr_source_note")
    for change in ({"values": {"amount": Decimal(1)}}, {"values": {}, "attributes": {"source_note": "x"}}):
        with pytest.raises(PermissionDenied):
            edit_deal(deal=deal, version=deal.version, by=user, **change)
    assert edit_deal(deal=deal, values={"amount": deal.amount, "name": "New"}, version=1, by=user) == ["name"]


def test_lists_boards_and_panels_show_blanks(restrict, rep, deal, signed_in):
    client = signed_in(rep)
    urls = [
        reverse("deals:deal_list"),
        reverse("deals:deal_board"),
        reverse("deals:counterparty_deals", args=[deal.counterparty_id]),
    ]
    before = [client.get(url).content.decode() for url in urls]
    assert ["7,654,321" in html for html in before] == [True, True, True]
    user = restrict(rep, DEAL, "hidden", "amount")
    after = [client.get(url).content.decode() for url in urls]
    assert [(deal.name in html, "7,654,321" in html) for html in after] == [(True, False)] * 3
    assert {column.total for column in read_board(user).columns} == {""}


def test_no_order_and_no_filter_by_what_is_hidden(restrict, rep, signed_in):
    for amount in (3, 1, 2):
        make_deal(rep, name=f"D{amount}", amount=Decimal(amount))
    client, url = signed_in(rep), reverse("deals:deal_list")

    def names(sort: str) -> list[str]:
        return [row.name for row in client.get(url, {"sort": sort}).context["list"].page]

    assert names("amount") == ["D1", "D2", "D3"]
    user = restrict(rep, DEAL, "hidden", "amount")
    assert names("amount") == names("-amount") == names("") == ["D2", "D1", "D3"]
    make_lead(rep, source=make_source())
    user = restrict(user, LEAD, "hidden", "source")
    found = LeadList(user, {"source": str(make_source().pk + 1)})
    assert [active.filter.key for active in found.active_filters] == ["owner"]
    assert len(found.page) == 1


def test_search_does_not_confirm_a_hidden_number(restrict, rep, signed_in):
    make_lead(rep, company="Huta", phone="601918273", email="zsekret@huta.example")
    assert [len(group.hits) for group in find(rep, "601 918 273")] == [1]
    user = restrict(rep, LEAD, "hidden", "phone", "email")
    assert find(user, "601 918 273") == find(user, "zsekret") == []
    assert [len(group.hits) for group in find(user, "huta")] == [1]
    rows = signed_in(user).get(reverse("leads:lead_list"), {"q": "zsekret"}).context["list"]
    assert rows.page == []
    options = signed_in(user).get(reverse("leads:lead_options"), {"q": "huta"}).content.decode()
    assert "Huta" in options
    assert "601" not in options


def test_changes_of_hidden_fields_vanish_from_history(restrict, rep, deal):
    edit_deal(deal=deal, values={"amount": Decimal(5)}, version=1, by=rep)
    edit_deal(deal=deal, values={"amount": Decimal(6), "name": "New"}, version=2, by=rep)
    whole = [line.changes for line in card_history(user=rep, record=deal).lines]
    assert [len(changes) for changes in whole] == [2, 1, 0]
    user = restrict(rep, DEAL, "hidden", "amount")
    lines = card_history(user=user, record=deal).lines
    assert [[change.field for change in line.changes] for line in lines] == [["name"], []]


def test_an_import_offers_no_column_for_it(restrict, rep):
    before = {target.key for target in fields_for(rep)}
    user = restrict(rep, LEAD, "readonly", "phone", "first_name")
    assert before - {target.key for target in fields_for(user)} == {
        "phone", "phone_2", "first_name", "person", "person_turned",
    }  # fmt: skip


def test_contacts_on_other_cards_are_blank_too(restrict, rep, signed_in):
    client_record = make_counterparty(rep)
    person = make_contact(rep, counterparty=client_record, phone="601918273")
    deal = make_deal(rep, counterparty=client_record, contacts=[person])
    urls = [
        reverse("counterparties:contact_detail", args=[person.pk]),
        reverse("counterparties:contact_list"),
        reverse("counterparties:counterparty_contacts", args=[client_record.pk]),
        reverse("deals:deal_detail", args=[deal.pk]),
    ]
    client = signed_in(rep)
    assert ["601918273" in client.get(url).content.decode().replace(" ", "") for url in urls] == [True] * 4
    restrict(rep, CONTACT, "hidden", "phone")
    seen = [client.get(url).content.decode().replace(" ", "") for url in urls]
    assert ["601918273" in html for html in seen] == [False] * 4


def test_a_task_says_nothing_hidden(restrict, rep, admin_user, signed_in):
    make_example(admin_user, "commercial_offer", "proposal")
    task = task_of(make_waiting(rep, amount=Decimal("7654321.09")).record())
    client, url = signed_in(rep), reverse("bpm:task_detail", args=[task.pk])
    assert "7,654,321" in client.get(url).content.decode()
    restrict(rep, DEAL, "hidden", "amount")
    assert "7,654,321" not in client.get(url).content.decode()


# What hides must not destroy


def test_saving_a_masked_copy_keeps_everything(restrict, rep, deal):
    user = restrict(rep, DEAL, "hidden", "amount", "attr_source_note")
    copy = Deal.objects.get(pk=deal.pk)
    mask(user, [copy])
    assert (copy.amount, copy.attributes) == (None, {})
    copy.name = "New"
    copy.save()
    deal.refresh_from_db()
    assert (deal.name, deal.amount, deal.attributes) == (
        "New",
        Decimal("7654321.09"),
        {"source_note": "Zsekret"},
    )


def test_a_masked_lead_is_worked_on_without_loss(restrict, rep, signed_in):
    lead = make_lead(rep, company="", first_name="", last_name="", phone="601918273", email="x@y.example")
    user = restrict(rep, LEAD, "hidden", "phone", "email")
    form = signed_in(user).get(reverse("leads:lead_update", args=[lead.pk])).context["form"]
    assert isinstance(form, LeadForm)
    url = reverse("leads:lead_update", args=[lead.pk])
    data = {"city": "Łódź", "version": lead.version, "owner": rep.pk}
    assert signed_in(user).post(url, data).status_code == 302
    stored = Lead.objects.get(pk=lead.pk)
    assert (stored.city, stored.phone, stored.email) == ("Łódź", "+48601918273", "x@y.example")
    assert "601918273" in stored.search_text


def test_a_new_record_keeps_its_required_fields(restrict, rep, signed_in):
    restrict(rep, DEAL, "readonly", "name", "counterparty", "amount")
    client_record = make_counterparty(rep)
    make_deal(rep, counterparty=client_record)
    form = signed_in(rep).get(reverse("deals:deal_create")).context["form"]
    assert {"name", "counterparty"} <= set(form.fields)
    assert "amount" not in form.fields


def test_rules_cost_no_query(restrict, rep, django_assert_num_queries):
    user = restrict(rep, DEAL, "hidden", "amount")
    with django_assert_num_queries(1):
        assert user.access.hidden_fields(DEAL) == WORTH
        assert user.access.scope(DEAL, "view") == "team"


# Categories


@pytest.fixture
def category_rule(monkeypatch):
    monkeypatch.setattr("crm.people.access._category_rules", {})
    return register_category_rule


def test_a_category_rule_narrows_roles_and_never_a_share(category_rule, rep, head, admin_user):
    from django.db.models import Q

    from crm.people.visibility import share

    make_counterparty(rep, name="Open")
    closed = make_counterparty(rep, name="Closed", city="Vault")
    category_rule(
        "counterparties.counterparty",
        lambda user, action: None if user.username == "rep" else ~Q(city="Vault"),
    )
    rows = Counterparty.objects

    def names(user) -> list[str]:
        return sorted(rows.visible_to(User.objects.get(pk=user.pk)).values_list("name", flat=True))

    assert (names(rep), names(head), names(admin_user)) == (["Closed", "Open"], ["Open"], ["Open"])
    assert not holder_of(closed, head).may("view")
    share(record=closed, user=head, by=rep)
    assert (names(head), names(admin_user)) == (["Closed", "Open"], ["Open"])
    assert [reason.how for reason in holder_of(closed, head).reasons["view"]] == ["share"]
    assert Activity.objects.visible_to(head).count() == 0


def test_rules_of_kinds_that_are_gone_do_no_harm(restrict, rep, signed_in):
    role = Role.objects.get(key="seller")
    RoleScope.objects.create(role=role, kind="ghost.record", action="view", scope="all")
    restrict(rep, "ghost.record", "hidden", "x")
    FieldRule.objects.create(role=role, kind=DEAL, field="attr_gone", level="hidden")
    FieldRule.objects.create(role=role, kind=DEAL, field="field_gone", level="hidden")
    make_deal(rep)
    assert not Attribute.objects.filter(key="gone").exists()
    assert signed_in(rep).get(reverse("deals:deal_list")).status_code == 200
    assert find(User.objects.get(pk=rep.pk), "service") != []


def test_columns_conditions_and_exports_leave_it_out(restrict, rep, deal):
    params = {"cols": "name,amount", "sort": "amount"}
    assert [column.key for column in DealList(rep, params).columns] == ["name", "amount"]
    user = restrict(rep, DEAL, "hidden", "amount", "attr_source_note")
    rows = DealList(user, params)
    assert ([column.key for column in rows.columns], rows.sort) == (["name"], rows.default_sort)
    assert {"amount", "attr_source_note"} & {one.key for one in rows.all_fields} == set()
    assert rows.field("amount") is rows.field("attr_source_note") is None
    assert not {"amount", "attr_source_note"} & {one.key for one in editable_fields(rows)}
    export = Export(kind=DEAL, query="cols=name,amount", columns=["name", "amount"], form="csv", made_by=user)
    written = ExportRows(export, user)
    assert written.heading() == ["Name"]
    assert [cells for batch in written.batches() for cells in batch] == [[deal.name]]


def test_a_read_only_field_is_not_offered_for_bulk_edits(restrict, rep):
    assert "amount" in {one.key for one in editable_fields(DealList(rep, {}))}
    user = restrict(rep, DEAL, "readonly", "amount")
    assert "amount" not in {one.key for one in editable_fields(DealList(user, {}))}


def test_undoing_shows_and_touches_no_restricted_field(restrict, rep, head, deal, signed_in):
    name = deal.name
    values = {"amount": Decimal("8000000.01"), "name": "Renamed", "close_date": date(2027, 1, 2)}
    edit_deal(deal=deal, values=values, version=deal.version, by=head)
    event = Event.objects.filter(kind="deal_changed").latest("pk")
    rep = restrict(rep, DEAL, "hidden", "amount")
    rep = restrict(rep, DEAL, "readonly", "close_date")
    page = signed_in(rep).get(reverse("history:event_undo", args=[event.pk])).content.decode()
    assert "Renamed" in page
    assert "7654321" not in page.replace(",", "").replace("\xa0", "")
    assert "8000000" not in page.replace(",", "").replace("\xa0", "")
    undo_event(event=event, by=rep)
    stored = Deal.objects.get(pk=deal.pk)
    assert stored.name == name
    assert (stored.amount, stored.close_date) == (values["amount"], values["close_date"])
