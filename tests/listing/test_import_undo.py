"""An import of leads is taken back: what it made goes, what it changed returns, what people touched since stays."""

import pytest
from django.urls import reverse
from openpyxl import Workbook

from crm.history.models import Deletion
from crm.history.notes import add_comment
from crm.listing.imports.undoing import Plan, plan_undo, start_undo
from crm.listing.models import Import
from crm.notify.models import Notification
from crm.people.models import RoleScope
from leads.models import LEAD_KIND, Lead
from leads.services import edit_lead
from tests.factories.imports import finished_import
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def imported(rep, tmp_path, run_jobs):
    """Alfa, Beta, Gamma are new; Delta and Epsilon were there and get another city, Epsilon twice."""
    make_lead(
        rep, company="Delta", first_name="", last_name="", email="d@d.example", city="Łódź", note="kept"
    )
    make_lead(rep, company="Epsilon", first_name="", last_name="", email="e@e.example", city="Łódź")
    book = Workbook()
    for row in [
        ["Firma", "E-mail", "Miasto"], ["Alfa", "a@a.example", "Kraków"], ["Beta", "b@b.example", "Kraków"],
        ["Gamma", "c@c.example", "Kraków"], ["Delta", "d@d.example", "Gdynia"], ["Epsilon", "e@e.example", "Gdynia"],
        ["Epsilon", "e@e.example", "Sopot"],
    ]:  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "leads.xlsx")
    return finished_import(tmp_path / "leads.xlsx", by=rep, run_jobs=run_jobs, mode="both", kind=LEAD_KIND)


def names(user) -> list[str]:
    return sorted(Lead.objects.visible_to(user).values_list("company", flat=True))


def test_what_nobody_touched_is_taken_back_from_the_report(imported, rep, signed_in, run_jobs):
    assert (imported.counts["created"], imported.counts["updated"]) == (3, 3)
    client, url = signed_in(rep), reverse("imports:import_undo", args=[imported.pk])
    report = reverse("imports:import_detail", args=[imported.pk])
    assert url in client.get(report).content.decode()
    assert plan_undo(imported, rep) == Plan(3, 2, 0)
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 302
    assert "job-progress" in client.get(report).content.decode()
    run_jobs()
    assert names(rep) == ["Delta", "Epsilon"]
    assert set(Lead.objects.visible_to(rep).values_list("city", flat=True)) == {"Łódź"}
    imported.refresh_from_db()
    assert (imported.status, imported.counts["undone"], imported.counts["reverted"], imported.counts["kept"]) == (
        "done", 3, 2, 0,
    )  # fmt: skip
    assert Deletion.objects.count() == 3
    shown = client.get(report).content.decode()
    assert "The import was undone" in shown
    assert url not in shown
    assert Notification.objects.filter(user=rep, kind="import_undone").count() == 1


def test_what_people_worked_on_since_stays(imported, rep, head, run_jobs):
    alfa, beta = Lead.objects.get(company="Alfa"), Lead.objects.get(company="Beta")
    edit_lead(lead=alfa, values={"note": "called"}, version=alfa.version, by=head)
    add_comment(record=beta, text="Interesting", by=head)
    delta = Lead.objects.get(company="Delta")
    edit_lead(lead=delta, values={"city": "Hel"}, version=delta.version, by=head)
    assert plan_undo(imported, rep) == Plan(1, 2, 2)
    start_undo(run=imported, by=rep)
    run_jobs()
    imported.refresh_from_db()
    assert [imported.counts[name] for name in ("undone", "reverted", "kept")] == [1, 1, 3]
    assert names(rep) == ["Alfa", "Beta", "Delta", "Epsilon"]
    delta.refresh_from_db()
    assert (delta.city, delta.note) == ("Hel", "kept")


def test_the_rights_of_the_moment_count(imported, rep, run_jobs):
    start_undo(run=imported, by=rep)
    RoleScope.objects.filter(kind=LEAD_KIND, action__in=["delete", "edit"]).update(scope="none")
    run_jobs()
    imported.refresh_from_db()
    assert [imported.counts[name] for name in ("undone", "reverted", "kept")] == [0, 0, 5]


def test_only_the_uploader_undoes(imported, teammate, head, signed_in):
    url = reverse("imports:import_undo", args=[imported.pk])
    for user in (teammate, head):
        assert signed_in(user).post(url).status_code == 404
    assert Import.objects.get().job.kind == "listing.import_run"
