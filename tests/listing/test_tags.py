"""Tags: who may put them on, how lists find by them, and that those of hidden records count nowhere."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.history.models import Event
from crm.listing.bulk.services import request_bulk, request_undo
from crm.listing.exports.cells import typed
from crm.listing.models import BulkRun, Tag, Tagging
from crm.listing.tags.services import carry_tags, change_tags, make_tag, tags_of
from crm.people.visibility import share
from deals.lists import DealList
from leads.lists import LeadList
from tests.factories.canary import settled
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal
from tests.factories.leads import make_lead

LEAD = "leads.lead"


def names(record) -> list[str]:
    kind = record._meta.label_lower
    return [tag.name for tag in tags_of(kind, [record.pk]).get(record.pk, [])]


def found(user, query: str) -> list[str]:
    return sorted(row.name for row in LeadList(user, QueryDict(query)).page)


def test_one_tag_whatever_its_spelling(rep):
    vip = make_tag(name=" VIP ")
    assert make_tag(name="vip") == vip
    assert vip.colour in Tag.Colour.values
    for bad in ("", "  ", "\u200f", "\x00", "x" * 41, "a\u202eb"):
        with pytest.raises(ValidationError):
            make_tag(name=bad)
    assert Tag.objects.count() == 1


def test_tagging_stands_in_history(rep):
    lead, hot, cold = make_lead(rep), make_tag(name="Hot"), make_tag(name="Cold")
    change_tags(records=[lead], add=[hot, cold], by=rep)
    change_tags(records=[lead], add=[hot], remove=[cold], by=rep)
    assert change_tags(records=[lead], add=[hot], remove=[cold], by=rep) == {}
    assert names(lead) == ["Hot"]
    texts = [event.changes.get() for event in Event.objects.filter(kind="record_tagged").order_by("pk")]
    assert [(change.old_text, change.new_text) for change in texts] == [
        ("", "Cold, Hot"),
        ("Cold, Hot", "Hot"),
    ]


def test_who_may_not_edit_may_not_tag(rep, outsider, teammate):
    lead, tag = make_lead(rep), make_tag(name="Hot")
    for user in (outsider, teammate):
        with pytest.raises(PermissionDenied):
            change_tags(records=[make_lead(user), lead], add=[tag], by=user)
    assert not Tagging.objects.exists()


def test_any_all_none(rep):
    hot, fair = make_tag(name="Hot"), make_tag(name="Fair")
    one, both, _none = (make_lead(rep, company=name) for name in ("One", "Both", "None"))
    change_tags(records=[one, both], add=[hot], by=rep)
    change_tags(records=[both], add=[fair], by=rep)
    assert found(rep, f"f=tags:any:{hot.pk},{fair.pk}") == ["Both", "One"]
    assert found(rep, f"f=tags:all:{hot.pk},{fair.pk}") == ["Both"]
    assert found(rep, f"f=tags:none:{fair.pk}") == ["None", "One"]
    assert found(rep, "f=tags:empty") == ["None"]
    assert found(rep, "f=tags:filled") == ["Both", "One"]
    assert found(rep, "f=tags:any:999999999") == []


def test_tags_of_hidden_records_show_nowhere(rep, outsider, signed_in):
    lead, tag = make_lead(rep, company="Secret"), make_tag(name="Hot")
    mine = make_lead(outsider, company="Mine")
    before = settled(signed_in(outsider).get(f"/leads/?f=tags:any:{tag.pk}").content)
    change_tags(records=[lead], add=[tag], by=rep)
    assert settled(signed_in(outsider).get(f"/leads/?f=tags:any:{tag.pk}").content) == before
    assert found(outsider, f"f=tags:any:{tag.pk}") == []
    assert found(outsider, f"f=tags:none:{tag.pk}") == [mine.name]
    address = reverse("lists:record_tags", args=[LEAD, lead.pk])
    assert signed_in(outsider).get(address).status_code == 404
    assert signed_in(outsider).post(address, {"tag": tag.pk}).status_code == 404


@pytest.mark.parametrize("rows", [1, 50])
def test_as_many_queries_for_one_row_as_for_fifty(rep, signed_in, rows):
    tags = [make_tag(name=f"Tag {n}") for n in range(5)]
    change_tags(records=[make_lead(rep) for _n in range(rows)], add=tags, by=rep)
    client = signed_in(rep)
    client.get("/leads/?cols=name,tags")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = client.get("/leads/?cols=name,tags")
    assert page.content.decode().count('<span class="tag-chip stage-') == 2 * rows
    assert len(queries) <= 10


def test_the_dialog_sends_only_differences(rep, signed_in):
    """Two people tag at once: neither takes the other's tag off."""
    lead, hot, cold = make_lead(rep), make_tag(name="Hot"), make_tag(name="Cold")
    address, client = reverse("lists:record_tags", args=[LEAD, lead.pk]), signed_in(rep)
    assert client.get(address).status_code == 200
    change_tags(records=[lead], add=[cold], by=rep)
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(address, {"had": "", "tag": [hot.pk], "new": "Łódź"})
    assert answer.status_code == 302
    assert len(queries) <= 25
    assert sorted(names(lead)) == ["Cold", "Hot", "Łódź"]
    assert client.post(address, {"had": f"{hot.pk}", "new": "x" * 50}).status_code == 422
    assert "Hot" in names(lead)
    assert client.put(address).status_code == 405


def test_who_only_sees_is_refused(rep, outsider, signed_in):
    lead = make_lead(rep)
    share(record=lead, user=outsider, by=rep)
    address = reverse("lists:record_tags", args=[LEAD, lead.pk])
    assert signed_in(outsider).get(f"{address}?line=1").status_code == 200
    assert signed_in(outsider).post(address, {"new": "Hot"}).status_code == 403
    assert not Tag.objects.exists()


@pytest.mark.parametrize("make", [make_lead, make_deal, make_counterparty, make_contact])
def test_every_root_kind_has_tags(rep, signed_in, make):
    record = make(rep)
    kind = record._meta.label_lower
    change_tags(records=[record], add=[make_tag(name="Strategic")], by=rep)
    page = signed_in(rep).get(
        reverse("lists:record_tags", args=[kind, record.pk]), headers={"HX-Request": "true"}
    )
    assert page.status_code == 200
    assert b"Strategic" in page.content
    assert b"Strategic" in signed_in(rep).get(reverse_card(record)).content


def reverse_card(record) -> str:
    from crm.people.kinds import kind_of

    return kind_of(record).url(record.pk)


def test_bulk_tags_and_their_undo(rep, outsider, run_jobs):
    old, new = make_tag(name="Old"), make_tag(name="New")
    had, fresh, foreign = make_lead(rep), make_lead(rep), make_lead(outsider)
    change_tags(records=[had], add=[new, old], by=rep)
    rows = LeadList(rep, QueryDict("view=0"))
    run = request_bulk(rows=rows, action="tag", ids=[had.pk, fresh.pk, foreign.pk], value=str(new.pk), by=rep)
    run_jobs()
    assert sorted(run.items.values_list("status", flat=True)) == ["done", "same"]
    assert (names(had), names(fresh), names(foreign)) == (["New", "Old"], ["New"], [])
    request_undo(run=BulkRun.objects.get(pk=run.pk), by=rep)
    run_jobs()
    assert (names(had), names(fresh)) == (["New", "Old"], [])
    run = request_bulk(rows=rows, action="untag", ids=None, value=f"{old.pk},{new.pk}", by=rep)
    run_jobs()
    assert names(had) == []
    request_undo(run=BulkRun.objects.get(pk=run.pk), by=rep)
    run_jobs()
    assert names(had) == ["New", "Old"]


@pytest.mark.parametrize("value", ["", "x", "999999999", "-1", "9" * 40, "owner__password"])
def test_unfit_tags_are_refused(rep, value):
    lead = make_lead(rep)
    with pytest.raises(ValidationError):
        request_bulk(rows=LeadList(rep, QueryDict("")), action="tag", ids=[lead.pk], value=value, by=rep)


def test_an_export_names_them(rep):
    deal = make_deal(rep)
    change_tags(records=[deal], add=[make_tag(name="Hot"), make_tag(name="=1+1")], by=rep)
    rows = DealList(rep, QueryDict("tab=all&cols=name,tags"))
    assert typed(rows.field("tags").value(rows.page[0])) == "=1+1, Hot"


def test_tags_are_carried_along(rep):
    lead, deal = make_lead(rep), make_deal(rep)
    change_tags(records=[lead], add=[make_tag(name="Hot")], by=rep)
    carry_tags(source=lead, targets=[deal, None])
    carry_tags(source=lead, targets=[deal])
    assert names(deal) == ["Hot"]
