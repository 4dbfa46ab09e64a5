"""What administrators keep, in our pages and in Django admin."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bpm.models import ProcessDefinition, ProcessVersion, StageGate, VersionStatus
from tests.factories.bpm import EXAMPLES, chain, diagram, make_gate, make_version, service_task, user_task
from tests.factories.deals import make_stage

GOOD = diagram(chain(user_task("Ask")))
BROKEN = diagram(chain(service_task("A", "no.such"), user_task("B")))
HOSTILE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'


def bpmn(data: bytes = GOOD, name: str = "own.bpmn") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "application/xml")


@pytest.fixture
def client_of_admin(admin_user, signed_in):
    return signed_in(admin_user)


def test_upload_publish_and_bind(client_of_admin):
    stage = make_stage("proposal")
    answer = client_of_admin.post(reverse("bpm:definition_upload"), {"diagram": bpmn()})
    version = ProcessVersion.objects.get()
    assert (
        answer.url == f"{reverse('bpm:definition_detail', args=[version.definition_id])}?version={version.pk}"
    )
    client_of_admin.post(reverse("bpm:version_publication", args=[version.pk]))
    client_of_admin.post(
        reverse("bpm:gate_create", args=[version.definition_id]),
        {"stage": stage.pk, "granting_ends": ["End_ok"]},
    )
    gate = StageGate.objects.get()
    assert (gate.stage, gate.definition, gate.granting_ends) == (stage, version.definition, ["End_ok"])
    client_of_admin.post(reverse("bpm:gate_delete", args=[gate.pk]))
    gate.refresh_from_db()
    assert gate.is_active is False


def test_findings_stand_on_the_page(client_of_admin):
    page = client_of_admin.post(reverse("bpm:definition_upload"), {"diagram": bpmn(BROKEN)}, follow=True)
    assert page.context["findings"][0] == {
        "severity": "error", "element": "A", "name": "A",
        "message": "The operation “no.such” of “A” does not exist here.",
        "remedy": page.context["findings"][0]["remedy"],
    }  # fmt: skip
    client_of_admin.post(reverse("bpm:version_publication", args=[ProcessVersion.objects.get().pk]))
    assert ProcessVersion.objects.get().status == VersionStatus.DRAFT


def test_a_hostile_file_is_refused_whole(client_of_admin):
    answer = client_of_admin.post(reverse("bpm:definition_upload"), {"diagram": bpmn(HOSTILE)})
    assert (answer.status_code, len(answer.context["findings"]), ProcessDefinition.objects.count()) == (
        422,
        1,
        0,
    )


def test_too_large_a_file_is_refused(client_of_admin):
    answer = client_of_admin.post(
        reverse("bpm:definition_upload"), {"diagram": bpmn(b"x" * (1024 * 1024 + 1))}
    )
    assert (answer.status_code, answer.context["form"].errors["diagram"]) == (
        422,
        ["A diagram may have at most 1 MB."],
    )


@pytest.mark.parametrize("who", ["rep", "head", "marketing", "outsider"])
def test_definitions_are_for_administrators(company, signed_in, who):
    gate = make_gate(company["admin"], chain(user_task("Ask")))
    version = gate.definition.published()
    client = signed_in(company[who])
    pages = [
        ("definition_list", []),
        ("definition_detail", [gate.definition_id]),
        ("version_xml", [version.pk]),
    ]
    posts = [
        ("definition_upload", []), ("version_publication", [version.pk]), ("gate_create", [gate.definition_id]),
        ("gate_delete", [gate.pk]),
    ]  # fmt: skip
    assert {client.get(reverse(f"bpm:{name}", args=args)).status_code for name, args in pages} == {403}
    assert {client.post(reverse(f"bpm:{name}", args=args)).status_code for name, args in posts} == {403}
    gate.refresh_from_db()
    assert gate.is_active is True


def test_pages_open(client_of_admin, admin_user):
    definition = make_gate(admin_user, chain(user_task("Ask"))).definition
    assert client_of_admin.get(reverse("bpm:definition_list")).status_code == 200
    page = client_of_admin.get(reverse("bpm:definition_detail", args=[definition.pk]))
    assert [ends for _gate, ends in page.context["gates"]] == [["End_ok"]]


# Django admin


def test_admin_uploads_and_publishes(client_of_admin):
    file = bpmn((EXAMPLES / "commercial-offer.bpmn").read_bytes())
    answer = client_of_admin.post(
        reverse("admin:bpm_processdefinition_add"), {"diagram": file, "publish": "on", "is_active": "on"}
    )
    version = ProcessVersion.objects.get()
    assert (answer.status_code, version.status, version.definition.key) == (
        302,
        VersionStatus.PUBLISHED,
        "commercial_offer",
    )


def test_admin_takes_in_another_version(client_of_admin, admin_user):
    version = make_version(admin_user, GOOD)
    url = reverse("admin:bpm_processdefinition_change", args=[version.definition_id])
    data = {"versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0, "is_active": "on"}
    assert client_of_admin.get(url).status_code == 200
    assert client_of_admin.post(url, {**data, "diagram": bpmn(BROKEN), "publish": "on"}).status_code == 302
    assert list(ProcessVersion.objects.order_by("number").values_list("status", flat=True)) == [
        "published",
        "draft",
    ]
    page = client_of_admin.get(url).content.decode()
    assert "The operation “no.such” of “A” does not exist here." in page


def test_admin_refuses_a_hostile_file(client_of_admin):
    answer = client_of_admin.post(reverse("admin:bpm_processdefinition_add"), {"diagram": bpmn(HOSTILE)})
    assert (answer.status_code, ProcessDefinition.objects.count()) == (200, 0)
    assert "DOCTYPE" in answer.content.decode()


def test_admin_binds_a_stage(client_of_admin, admin_user):
    version = make_version(admin_user, GOOD)
    other = make_version(admin_user, diagram(chain(user_task("Ask")), key="other"))
    stage = make_stage("proposal")
    url = reverse("admin:bpm_stagegate_add")
    data = {
        "stage": stage.pk,
        "way": "entry",
        "mode": "blocking",
        "definition": version.definition_id,
        "is_active": "on",
    }
    assert client_of_admin.post(url, {**data, "ends": [f"{other.definition_id}:End_ok"]}).status_code == 200
    assert StageGate.objects.count() == 0
    assert client_of_admin.post(url, {**data, "ends": [f"{version.definition_id}:End_ok"]}).status_code == 302
    gate = StageGate.objects.get()
    assert (gate.granting_ends, gate.definition) == (["End_ok"], version.definition)
    assert client_of_admin.get(reverse("admin:bpm_stagegate_change", args=[gate.pk])).status_code == 200
