"""Exports: typed cells, texts that stay texts, only what one may export, a file only its maker fetches."""

import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.http import QueryDict
from django.urls import reverse
from openpyxl import load_workbook

from counterparties.lists import ContactList
from crm.attributes.models import Attribute
from crm.jobs.models import Job
from crm.listing.exports.cells import harmless, typed
from crm.listing.exports.services import request_export
from crm.listing.exports.workbook import WorkbookWriter
from crm.listing.models import Export
from crm.notify.models import Notification
from crm.people.models import RoleScope
from deals.lists import DealList
from leads.lists import LeadList
from leads.models import Lead
from tests.factories.counterparties import make_contact, make_counterparty
from tests.factories.deals import make_deal, make_deal_type
from tests.factories.leads import make_lead

RISKY = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0", "＝1+1", "|x", "%x"]


@pytest.fixture
def export(run_jobs):
    def export(rows, by, form="xlsx") -> Export:
        made = request_export(rows=rows, form=form, by=by)
        run_jobs()
        made = Export.objects.get(pk=made.pk)
        assert made.job.status == Job.Status.DONE, made.job.error
        return made

    return export


def sheet(made: Export) -> list[list]:
    with made.file.content.open("rb") as content:
        book = load_workbook(io.BytesIO(content.read()))
    return [[cell.value for cell in row] for row in book.active.rows]


def lines(made: Export, delimiter=",") -> list[list]:
    with made.file.content.open("rb") as content:
        return list(csv.reader(io.StringIO(content.read().decode("utf-8-sig")), delimiter=delimiter))


def test_cells_have_types(rep, export):
    deal_type = make_deal_type()
    for key, kind in (("signed", "date"), ("weight", "number"), ("urgent", "bool")):
        Attribute.objects.create(attribute_set=deal_type.attribute_set, key=key, name=key, kind=kind)
    make_deal(
        rep, name="Umowa", amount=Decimal("12500.50"), close_date=date(2026, 12, 1), deal_type=deal_type,
        counterparty=make_counterparty(rep, name="Łódź"),
        attributes={"signed": "2026-05-01", "weight": "2.5", "urgent": True},
    )  # fmt: skip
    columns = "name,amount,close_date,stage,owner,counterparty,status,attr_signed,attr_weight,attr_urgent"
    made = export(DealList(rep, QueryDict(f"cols={columns}")), rep)
    heading, row = sheet(made)
    assert heading[:4] == ["Name", "Amount", "Close date", "Stage"]
    assert row == [
        "Umowa", 12500.5, datetime(2026, 12, 1), "Qualification", str(rep), "Łódź", "active", datetime(2026, 5, 1), 2.5,
        True,
    ]  # fmt: skip


@pytest.mark.parametrize("text", RISKY)
def test_no_text_becomes_a_formula(rep, export, text):
    make_lead(rep, company="Ada", city="x")
    Lead.objects.update(city=text)
    made = export(LeadList(rep, QueryDict("cols=city")), rep)
    with made.file.content.open("rb") as content:
        part = zipfile.ZipFile(io.BytesIO(content.read())).read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in part and part.count('t="inlineStr"') == 2
    plain = export(LeadList(rep, QueryDict("cols=city")), rep, "csv")
    with plain.file.content.open("rb") as content:
        assert b"'" + text.encode() in content.read()


def test_phones_are_kept():
    assert harmless("+48601234567") == "+48601234567"
    assert harmless("+48 601") == "'+48 601"
    assert typed("a\x00b\ud800\x1fc") == "abc"


def test_polish_readers_get_a_polish_file(rep, export):
    rep.language = "pl"
    rep.save()
    make_deal(rep, name="A;B", amount=Decimal("1.5"))
    made = export(DealList(rep, QueryDict("cols=name,amount")), rep, "csv")
    assert lines(made, ";")[1] == ["A;B", "1,50"]


def test_filters_order_and_rights_count(rep, teammate, head, export):
    for name in ("b", "c", "a"):
        make_lead(rep, company=name, city="Łódź")
    make_lead(teammate, company="teammate's", city="Łódź")
    rows = LeadList(rep, QueryDict("f=city:has:lodz&sort=sort_key&cols=name"))
    assert [row.name for row in rows.page] == ["a", "b", "c", "teammate's"]
    # A seller sees his team's leads but exports his own.
    assert sheet(export(rows, rep)) == [["Name"], ["a"], ["b"], ["c"]]
    found = sheet(export(LeadList(head, QueryDict("cols=name")), head))
    assert sorted(found[1:]) == [["a"], ["b"], ["c"], ["teammate's"]]


def test_a_contact_names_only_seen_counterparties(rep, outsider, export):
    contact = make_contact(rep, counterparty=make_counterparty(rep, name="Seen"))
    hidden = make_counterparty(outsider, name="Hidden")
    contact.links.create(counterparty=hidden)
    made = export(ContactList(rep, QueryDict("cols=name,counterparty")), rep, "csv")
    assert lines(made)[1] == ["Jan Łukasik", "Seen"]


def test_the_right_is_asked_when_ordered_and_when_run(rep, marketing, run_jobs):
    make_lead(rep)
    with pytest.raises(PermissionDenied):
        request_export(rows=LeadList(marketing, QueryDict("")), form="csv", by=marketing)
    made = request_export(rows=LeadList(rep, QueryDict("")), form="csv", by=rep)
    RoleScope.objects.filter(kind="leads.lead", action="export").update(scope="none")
    run_jobs()
    made.refresh_from_db()
    assert (made.job.status, made.file) == (Job.Status.FAILED, None)


def test_only_its_maker_fetches_it(rep, teammate, admin_user, signed_in, export):
    make_lead(rep)
    client = signed_in(rep)
    given = {"kind": "leads.lead", "query": "tab=new"}
    assert client.get(reverse("lists:export_create"), given).status_code == 200
    answer = client.post(reverse("lists:export_create"), {**given, "file_form": "csv"})
    pk = Export.objects.get().pk
    assert answer["Location"] == f"/lists/exports/{pk}/"
    assert "jobs/" in client.get(answer["Location"]).content.decode()
    made = export(LeadList(rep, QueryDict("")), rep)
    assert Notification.objects.filter(user=rep, kind="export_done").count() == 2
    url = reverse("lists:export_file", args=[made.pk])
    assert b"".join(client.get(url).streaming_content)[:2] == b"PK"
    assert client.get(reverse("files:file_download", args=[made.file_id])).status_code == 404
    for other in (teammate, admin_user):
        client = signed_in(other)
        for name in ("export_detail", "export_file"):
            assert client.get(reverse(f"lists:{name}", args=[made.pk])).status_code == 404
    RoleScope.objects.filter(kind="leads.lead", action="export").update(scope="none")
    assert signed_in(rep).get(url).status_code == 403
    assert signed_in(rep).get(reverse("lists:export_create"), given).status_code == 403


def test_a_workbook_survives_everything(tmp_path):
    values = [
        None,
        True,
        Decimal("1e-6"),
        Decimal(10**20),
        date(1850, 1, 1),
        datetime(2026, 1, 1, 12),
        "<&\">'\n ]]>",
    ]
    kinds = ["text"] * len(values)
    with WorkbookWriter(tmp_path / "a.xlsx", 'A & "B" <c>', kinds) as book:
        book.write([f"h{number}" for number in range(7)])
        book.write(values)
    row = [cell.value for cell in list(load_workbook(tmp_path / "a.xlsx").active.rows)[1]]
    assert row == [None, True, 0.000001, str(10**20), "1850-01-01", datetime(2026, 1, 1, 12), "<&\">'\n ]]>"]
