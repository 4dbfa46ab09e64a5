"""Everything in one archive: whole, without secrets, importable again, for the named right alone."""

import json
import zipfile
from io import BytesIO

import pytest
from django.contrib.auth.models import Permission
from openpyxl import load_workbook

from crm.listing.exports.everything import request_full_export
from crm.listing.imports import services
from crm.listing.models import FullExport
from crm.people.invitations import invite
from crm.people.models import User
from leads.models import LEAD_KIND
from tests.factories.imports import upload_of
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def archive(company, run_jobs) -> zipfile.ZipFile:
    make_lead(company["rep"], company="Łódź Meble", phone="+48221234567", note="=1+1")
    invite(email="new@firma.example", by=company["admin"])
    export = request_full_export(by=company["admin"])
    run_jobs()
    export.refresh_from_db()
    with export.file.content.open("rb") as content:
        return zipfile.ZipFile(BytesIO(content.read()))


def lines(archive: zipfile.ZipFile, table: str) -> list[dict]:
    return [json.loads(line) for line in archive.read(f"json/{table}.jsonl").splitlines()]


def test_every_table_is_there_without_secrets(archive, company):
    (lead,) = lines(archive, "leads.lead")
    assert (lead["company"], lead["phone"], lead["owner_id"]) == (
        "Łódź Meble",
        "+48221234567",
        company["rep"].pk,
    )
    assert {row["username"] for row in lines(archive, "people.user")} == set(company)
    assert [row["kind"] for row in lines(archive, "history.event")] == ["lead_created"]
    assert "nonce" not in lines(archive, "people.invitation")[0]
    for name in archive.namelist():
        if name.startswith("json/"):
            assert b'"password"' not in archive.read(name)


def test_the_workbook_can_be_imported_again(archive, company, tmp_path):
    name = next(name for name in archive.namelist() if name.startswith("xlsx/Lead"))
    path = tmp_path / "leads.xlsx"
    path.write_bytes(archive.read(name))
    rows = [[cell.value for cell in row] for row in load_workbook(path).active.iter_rows()]
    assert dict(zip(rows[0], rows[1], strict=True))["Note"] == "=1+1"
    run = services.create_import(upload=upload_of(path), kind=LEAD_KIND, by=company["rep"])
    assert {"company", "phone", "note", "owner"} <= set(run.by_column.values())


def test_only_the_named_right_gives_it(company, signed_in, run_jobs):
    rep, admin = company["rep"], company["admin"]
    assert signed_in(rep).get("/lists/everything/").status_code == 403
    assert signed_in(rep).post("/lists/everything/").status_code == 403
    browser = signed_in(admin)
    assert browser.post("/lists/everything/").status_code == 302
    assert browser.post("/lists/everything/").status_code == 302
    export = FullExport.objects.get()
    run_jobs()
    assert browser.get("/lists/everything/").status_code == 200
    answer = browser.get(f"/lists/everything/{export.pk}/file/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert signed_in(rep).get(f"/lists/everything/{export.pk}/file/").status_code == 404
    rep.user_permissions.add(Permission.objects.get(codename="export_everything"))
    assert signed_in(rep).get("/lists/everything/").status_code == 403
    User.objects.filter(pk=rep.pk).update(is_staff=True)
    assert signed_in(rep).get("/lists/everything/").status_code == 200
