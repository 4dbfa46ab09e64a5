"""Bulk edits: only what each record allows, what was skipped is said, and a whole run is taken back."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import QueryDict
from django.urls import reverse

from counterparties.lists import CounterpartyList
from counterparties.models import Counterparty
from crm.attributes.models import Attribute, AttributeValue
from crm.history.bin import delete_record
from crm.history.models import Event
from crm.jobs.models import Job
from crm.listing.bulk.services import NotUndoable, request_bulk, request_undo
from crm.listing.models import BulkItem, BulkRun
from crm.notify.models import Notification
from crm.people.models import RoleScope
from deals.lists import DealList
from deals.many import edit_deals
from deals.models import Deal, StageTransition
from deals.services import edit_deal
from deals.signals import deal_changed
from leads.lists import LeadList
from leads.models import Lead
from leads.services import edit_lead
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal, make_deal_type
from tests.factories.leads import make_lead, make_source


def outcomes(run: BulkRun) -> dict[str, str]:
    return {item.title: item.status for item in run.items.all()}


@pytest.fixture
def bulk(run_jobs):
    def bulk(rows, action, records, by, **value) -> BulkRun:
        ids = None if records is None else [record.pk for record in records]
        run = request_bulk(rows=rows, action=action, ids=ids, by=by, **value)
        run_jobs()
        run.refresh_from_db()
        assert run.job.status == Job.Status.DONE, run.job.error
        return run

    return bulk


@pytest.fixture
def undo(run_jobs):
    def undo(run: BulkRun) -> BulkRun:
        run = request_undo(run=run, by=run.made_by)
        run_jobs()
        run.refresh_from_db()
        assert run.undo_job.status == Job.Status.DONE, run.undo_job.error
        return run

    return undo


def open_leads(user, query="view=0") -> LeadList:
    return LeadList(user, QueryDict(query))


def test_each_records_own_rights_count(rep, teammate, outsider, bulk):
    mine, theirs, hidden = (
        make_lead(rep, company="Mine"),
        make_lead(teammate, company="Theirs"),
        make_lead(outsider),
    )
    run = bulk(open_leads(rep), "edit", [mine, theirs, hidden], rep, field="city", value="Łódź")
    # A foreign record is not even mentioned.
    assert outcomes(run) == {"Mine": "done", "Theirs": "skipped"}
    assert list(Lead.objects.order_by("pk").values_list("city", flat=True)) == ["Łódź", "", ""]
    event = Event.objects.get(subject_id=mine.pk, kind="lead_changed")
    assert event.changes.get().new == "Łódź"
    assert Notification.objects.get(user=rep, kind="bulk_done").params["skipped"] == 1


def test_all_that_match_on_every_page(rep, bulk):
    for number in range(60):
        make_lead(rep, company=f"Lead {number:02}", city="Łódź" if number % 2 else "")
    run = bulk(open_leads(rep, "f=city:has:lodz"), "edit", None, rep, field="note", value="seen")
    assert run.items.count() == 30
    assert Lead.objects.filter(note="seen", city="Łódź").count() == 30


def test_fields_of_every_kind(rep, bulk):
    source, deal_type = make_source(), make_deal_type()
    lead, deal = make_lead(rep), make_deal(rep, deal_type=deal_type)
    bulk(open_leads(rep), "edit", [lead], rep, field="source", value=str(source.pk))
    lead.refresh_from_db()
    assert lead.source == source
    rows = DealList(rep, QueryDict("view=0"))
    bulk(rows, "edit", [deal], rep, field="amount", value="1 250,50")
    bulk(rows, "edit", [deal], rep, field="close_date", value="2027-02-03")
    bulk(rows, "edit", [deal], rep, field="attr_source_note", value="fair")
    deal.refresh_from_db()
    assert (deal.amount, deal.close_date, deal.attributes) == (
        Decimal("1250.50"),
        date(2027, 2, 3),
        {"source_note": "fair"},
    )
    assert StageTransition.objects.filter(deal=deal).count() == 3
    assert AttributeValue.objects.get(record_id=deal.pk).text == "fair"


def test_an_attribute_of_other_types_is_skipped(rep, bulk):
    first, second = make_deal_type(), make_deal_type("service", is_default=False)
    Attribute.objects.create(attribute_set=first.attribute_set, key="only_here", name="Only here")
    deals = [make_deal(rep, name="A", deal_type=first), make_deal(rep, name="B", deal_type=second)]
    run = bulk(DealList(rep, QueryDict("view=0")), "edit", deals, rep, field="attr_only_here", value="x")
    assert outcomes(run) == {"A": "done", "B": "skipped"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("owner__password", "x"), ("owner", "1"), ("status", "won"), ("stage", "1"), ("deleted_at", "x"),
        ("version", "9"),
        ("search_text", "x"), ("amount", "lots"), ("amount", "1e30"), ("close_date", "tomorrow"),
        ("attr_nothing", "x"), ("", ""),
    ],
)  # fmt: skip
def test_what_may_not_be_written(rep, field, value):
    make_deal(rep)
    with pytest.raises(ValidationError):
        request_bulk(
            rows=DealList(rep, QueryDict("view=0")), action="edit", ids=None, field=field, value=value, by=rep
        )
    assert not BulkRun.objects.exists()


def test_assigning_and_taking_back(rep, teammate, head, bulk, undo):
    leads = [make_lead(rep, company=name) for name in "ABC"]
    run = bulk(open_leads(head), "assign", leads, head, value=str(teammate.pk))
    assert {lead.owner_id for lead in Lead.objects.all()} == {teammate.pk}
    edit_lead(lead=Lead.objects.get(name="B"), values={"owner": head}, version=2, by=head)
    edit_lead(lead=Lead.objects.get(name="C"), values={"city": "Łódź"}, version=2, by=teammate)
    run = undo(run)
    # B was handed on since; C was changed elsewhere, which stays.
    assert outcomes(run) == {"A": "undone", "B": "kept", "C": "undone"}
    assert {lead.name: (lead.owner, lead.city) for lead in Lead.objects.all()} == {
        "A": (rep, ""), "B": (head, ""), "C": (rep, "Łódź"),
    }  # fmt: skip


def test_nobody_is_given_records_out_of_reach(rep, outsider, marketing):
    rows = open_leads(rep)
    make_lead(rep)
    for value in (str(outsider.pk), "", "x", "9" * 30, "0"):
        with pytest.raises(ValidationError):
            request_bulk(rows=rows, action="assign", ids=None, value=value, by=rep)
    with pytest.raises(PermissionDenied):
        request_bulk(rows=open_leads(marketing), action="delete", ids=None, by=marketing)


def test_undoing_an_edit(rep, bulk, undo):
    deal_type = make_deal_type()
    Attribute.objects.create(
        attribute_set=deal_type.attribute_set, key="budget", name="Budget", kind="money", filterable=True
    )
    deals = [
        make_deal(rep, name=name, amount=Decimal(5), deal_type=deal_type, attributes={"budget": "7.50"})
        for name in "ABC"
    ]
    rows = DealList(rep, QueryDict("view=0"))
    budgets, amounts = (
        bulk(rows, "edit", deals, rep, field=field, value="100") for field in ("attr_budget", "amount")
    )
    deal = Deal.objects.get(name="B")
    edit_deal(deal=deal, values={"amount": Decimal(101)}, version=deal.version, by=rep)
    assert outcomes(undo(amounts)) == {"A": "undone", "B": "kept", "C": "undone"}
    assert list(Deal.objects.order_by("name").values_list("amount", flat=True)) == [5, 101, 5]
    undo(budgets)
    assert [deal.attributes for deal in Deal.objects.all()] == [{"budget": 750}] * 3
    assert {row.number for row in AttributeValue.objects.filter(attribute__key="budget")} == {Decimal("7.5")}
    with pytest.raises(NotUndoable):
        request_undo(run=budgets, by=rep)


def test_deleting_and_bringing_back(rep, teammate, bulk, undo):
    needed, free = make_counterparty(rep, name="Needed"), make_counterparty(rep, name="Free")
    theirs = make_counterparty(teammate, name="Theirs")
    make_deal(rep, counterparty=needed)
    run = bulk(CounterpartyList(rep, QueryDict("view=0")), "delete", [needed, free, theirs], rep)
    assert outcomes(run) == {"Needed": "skipped", "Free": "done", "Theirs": "skipped"}
    assert not Counterparty.objects.visible_to(rep).filter(name="Free").exists()
    assert Event.objects.filter(kind="record_deleted", subject_id=free.pk).count() == 1
    undo(run)
    assert Counterparty.objects.visible_to(rep).filter(name="Free").exists()


def test_rights_are_asked_again_when_it_runs(rep, run_jobs):
    lead = make_lead(rep)
    run = request_bulk(rows=open_leads(rep), action="edit", ids=[lead.pk], field="city", value="x", by=rep)
    RoleScope.objects.filter(kind="leads.lead", action="edit").update(scope="none")
    run_jobs()
    lead.refresh_from_db()
    assert (lead.city, list(outcomes(run).values())) == ("", ["skipped"])


def test_an_interrupted_run_goes_on(rep, run_jobs):
    leads = [make_lead(rep, company=name) for name in "AB"]
    run = request_bulk(rows=open_leads(rep), action="edit", ids=None, field="city", value="x", by=rep)
    run.items.create(record_id=leads[0].pk, status="done", title="A")  # done before the worker died
    run_jobs()
    assert outcomes(run) == {"A": "done", "B": "done"}
    assert list(Lead.objects.order_by("name").values_list("city", flat=True)) == ["", "x"]


def post(client, **values):
    return client.post(reverse("lists:bulk_create"), {"kind": "leads.lead", "query": "view=0", **values})


def test_the_pages(rep, teammate, admin_user, marketing, signed_in, run_jobs):
    lead = make_lead(rep, company="Mine")
    other = make_lead(teammate, company="<b>Theirs</b>")
    client = signed_in(rep)
    ids = f"{lead.pk},{other.pk},x,-1,{'9' * 30}"
    assert 'id="bulk"' in client.get("/leads/").content.decode()
    for action in ("assign", "edit", "delete"):
        assert post(client, action=action, ids=ids).status_code == 200
    assert post(client, action="edit", ids="", confirmed="1").status_code == 422
    assert post(client, action="edit", ids=ids, field="source", value="77", confirmed="1").status_code == 422
    assert post(client, action="explode", ids=ids).status_code == 404
    answer = post(client, action="edit", ids=ids, field="city", value="Łódź", confirmed="1")
    run = BulkRun.objects.get()
    url = reverse("lists:bulk_detail", args=[run.pk])
    assert answer["Location"] == url
    run_jobs()
    page = client.get(url).content.decode()
    assert "You may not do this to it." in page and "&lt;b&gt;Theirs" in page and "Undo all of it" in page
    for person in (teammate, admin_user):
        assert signed_in(person).get(url).status_code == 404
        assert signed_in(person).post(reverse("lists:bulk_undo", args=[run.pk])).status_code == 404
    client = signed_in(rep)
    client.post(reverse("lists:bulk_undo", args=[run.pk]))
    run_jobs()
    lead.refresh_from_db()
    assert lead.city == ""
    client.post(reverse("lists:bulk_undo", args=[run.pk]))
    client = signed_in(marketing)
    assert post(client, action="delete", ids=ids).status_code == 403
    assert 'form="bulk"' not in client.get("/leads/").content.decode()


def facts(deal: Deal) -> tuple:
    """All that an edit leaves behind."""
    event = Event.objects.filter(subject_kind="deals.deal", subject_id=deal.pk).latest("pk")
    change = event.changes.get()
    row = StageTransition.objects.filter(deal=deal).latest("pk")
    return (
        [getattr(deal, name) for name in ("amount", "close_date", "close_date_slips", "version", "owner_id",
                                          "department_id")],
        [event.kind, event.actor_id, event.version, event.payload],
        [change.field, change.label, change.old, change.new, change.old_text, change.new_text],
        sorted((link.kind, link.kind == "deals.deal" or link.record_id) for link in event.links.all()),
        [getattr(row, name) for name in ("cause", "from_stage_id", "to_stage_id", "from_status", "to_status", "amount",
                                         "close_date", "owner_id", "department_id", "actor_id", "is_proven")],
    )  # fmt: skip


@pytest.mark.parametrize("field", ["amount", "close_date", "owner"])
def test_many_deals_at_once_leave_the_same_behind_as_one(rep, outsider, admin_user, field):
    counterparty, told = make_counterparty(rep), []
    contact = make_contact(rep, counterparty=counterparty)
    one, two, same = (
        make_deal(
            rep,
            name=name,
            counterparty=counterparty,
            contacts=[contact],
            amount=Decimal(5),
            close_date=date(2026, 12, 1),
        )
        for name in ("One", "Two", "Same")
    )
    value = {"amount": Decimal("7.50"), "close_date": date(2027, 1, 1), "owner": outsider}[field]
    edit_deal(deal=one, values={field: value}, version=1, by=admin_user)
    edit_deal(deal=same, values={field: value}, version=1, by=admin_user)

    def hear(sender, deal, fields, **kwargs):
        told.append((deal.pk, fields))

    deal_changed.connect(hear)
    events = edit_deals(pks=[two.pk, same.pk, 0], field=field, value=value, by=admin_user)
    deal_changed.disconnect(hear)
    assert list(events) == [two.pk]
    assert told == [(two.pk, [field])]
    assert facts(Deal.objects.get(pk=two.pk)) == facts(Deal.objects.get(pk=one.pk))


def test_many_deals_at_once_keep_to_rights(rep, teammate, outsider):
    mine, theirs, hidden = make_deal(rep), make_deal(teammate), make_deal(outsider)
    events = edit_deals(pks=[mine.pk, theirs.pk, hidden.pk], field="amount", value=Decimal(9), by=rep)
    assert list(events) == [mine.pk]
    with pytest.raises(ValidationError):
        edit_deals(pks=[mine.pk], field="amount", value=Decimal(10) ** 13, by=rep)
    with pytest.raises(ValueError):
        edit_deals(pks=[mine.pk], field="stage", value=None, by=rep)


def test_who_handed_records_away_takes_them_back(rep, teammate, outsider, head, bulk, undo):
    """The change itself took them out of reach; whoever made it may undo it while nobody has touched them since."""
    RoleScope.objects.filter(role__users=rep, kind="leads.lead", action="assign").update(scope="all")
    rep.__dict__.pop("access", None)
    kept, touched = make_lead(rep, company="Kept"), make_lead(rep, company="Touched")
    run = bulk(open_leads(rep), "assign", [kept, touched], rep, value=str(outsider.pk))
    assert not Lead.objects.visible_to(rep).exists()
    touched.refresh_from_db()
    edit_lead(lead=touched, values={"city": "Łódź"}, version=touched.version, by=outsider)
    run = undo(run)
    assert outcomes(run) == {"Kept": "undone", "Touched": "kept"}
    assert list(Lead.objects.visible_to(rep)) == [kept]
    assert not Lead.objects.visible_to(rep).filter(pk=touched.pk).exists()


def test_without_the_right_nothing_comes_back(rep, outsider, bulk, undo):
    scopes = RoleScope.objects.filter(role__users=rep, kind="leads.lead", action="assign")
    scopes.update(scope="all")
    rep.__dict__.pop("access", None)
    lead = make_lead(rep, company="Gone")
    run = bulk(open_leads(rep), "assign", [lead], rep, value=str(outsider.pk))
    scopes.update(scope="none")
    assert outcomes(undo(run)) == {"Gone": "kept"}
    lead.refresh_from_db()
    assert lead.owner == outsider


def test_what_changes_while_the_job_waits_is_left_alone(rep, run_jobs):
    """Whoever wrote the same field meanwhile keeps what he wrote; other fields merge; the deleted are gone."""
    same, other, doomed = (make_lead(rep, company=name) for name in ("Same", "Other", "Doomed"))
    run = request_bulk(
        rows=open_leads(rep),
        action="edit",
        ids=[same.pk, other.pk, doomed.pk],
        field="city",
        value="Bulk",
        by=rep,
    )
    BulkItem.objects.bulk_create(
        BulkItem(run=run, record_id=lead.pk, version=lead.version) for lead in (same, other, doomed)
    )
    Job.objects.filter(pk=run.job_id).update(checkpoint={"collected": True})
    edit_lead(lead=same, values={"city": "Mine"}, version=same.version, by=rep)
    edit_lead(lead=other, values={"note": "Mine"}, version=other.version, by=rep)
    delete_record(record=doomed, by=rep)
    run_jobs()
    assert sorted(run.items.values_list("status", flat=True)) == ["done", "skipped", "skipped"]
    assert list(Lead.objects.filter(deleted_at=None).order_by("pk").values_list("city", flat=True)) == [
        "Mine",
        "Bulk",
    ]


def test_a_quick_run_leaves_newer_values_alone(rep, run_jobs):
    """Also where many records are written in a few statements."""
    first, second = make_deal(rep, name="First"), make_deal(rep, name="Second")
    rows = DealList(rep, QueryDict("view=0"))
    run = request_bulk(
        rows=rows, action="edit", ids=[first.pk, second.pk], field="amount", value="100", by=rep
    )
    BulkItem.objects.bulk_create(
        BulkItem(run=run, record_id=deal.pk, version=deal.version) for deal in (first, second)
    )
    Job.objects.filter(pk=run.job_id).update(checkpoint={"collected": True})
    edit_deal(deal=first, values={"amount": Decimal("7.00")}, version=first.version, by=rep)
    run_jobs()
    assert list(Deal.objects.order_by("pk").values_list("amount", flat=True)) == [
        Decimal("7.00"),
        Decimal("100.00"),
    ]
