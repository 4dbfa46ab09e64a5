"""Diagrams are judged whole, published as immutable versions, and bound to stages."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from bpm.definitions import DiagramRefused, bind_gate, publish_version, shown_findings, upload_diagram
from bpm.models import ImmutableVersionError, ProcessDefinition, ProcessVersion, StageGate, VersionStatus
from crm.attributes.models import Attribute
from tests.factories.bpm import chain, diagram, make_gate, make_version, service_task, user_task
from tests.factories.deals import make_deal, make_stage

GOOD = chain(user_task("Ask"))
DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + diagram(GOOD).split(b"?>", 1)[1]


def test_a_diagram_becomes_a_draft_then_a_version(admin_user):
    version = make_version(admin_user, diagram(GOOD), publish=False)
    assert (version.status, version.number, version.is_publishable) == (VersionStatus.DRAFT, 1, True)
    published = publish_version(version=version, by=admin_user)
    assert (published.status, published.published_by) == (VersionStatus.PUBLISHED, admin_user)
    assert ProcessDefinition.objects.get().published() == published


HOSTILE = {
    "doctype": DOCTYPE,
    "empty": b"",
    "zip": b"PK\x03\x04 zip",
    "html": b"<html/>",
    "utf16": diagram(GOOD).decode().encode("utf-16"),
    "chain": diagram(chain(*[user_task(f"T{n}") for n in range(20_000)])),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_leave_nothing(admin_user, data):
    with pytest.raises(DiagramRefused) as refused:
        upload_diagram(data=data, by=admin_user)
    assert refused.value.messages
    assert (ProcessDefinition.objects.count(), ProcessVersion.objects.count()) == (0, 0)


def test_all_findings_are_said_at_once(admin_user):
    body = chain(service_task("A", "no.such"), service_task("B", "notify.user", user="rep", colour="red"))
    version = make_version(admin_user, diagram(body), publish=False)
    messages = [
        finding["message"] for finding in shown_findings(version.findings) if finding["severity"] == "error"
    ]
    assert messages == [
        "The operation “no.such” of “A” does not exist here.",
        "The operation “notify.user” of “B” lacks the argument “text”.",
        "The operation “notify.user” of “B” has no argument “colour”.",
    ]
    with pytest.raises(ValidationError):
        publish_version(version=version, by=admin_user)


def test_a_condition_reaching_for_internals_is_no_version(admin_user):
    body = (
        '<bpmn:startEvent id="S" /><bpmn:exclusiveGateway id="G" default="d" />'
        '<bpmn:endEvent id="E" /><bpmn:endEvent id="F" />'
        '<bpmn:sequenceFlow id="a" sourceRef="S" targetRef="G" />'
        '<bpmn:sequenceFlow id="d" sourceRef="G" targetRef="E" />'
        '<bpmn:sequenceFlow id="c" name="way out" sourceRef="G" targetRef="F">'
        "<bpmn:conditionExpression>${().__class__}</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )
    version = make_version(admin_user, diagram(body), publish=False)
    assert (version.is_publishable, version.errors[0]["element"]) == (False, "c")


def test_a_published_version_never_changes(admin_user):
    version = make_version(admin_user, diagram(GOOD))
    version.graph = {}
    with pytest.raises(ImmutableVersionError):
        version.save()
    with pytest.raises(ImmutableVersionError):
        ProcessVersion.objects.filter(pk=version.pk).update(xml="")
    with pytest.raises(IntegrityError), transaction.atomic():
        ProcessVersion.objects.filter(pk=version.pk).update(published_at=None)


def test_one_published_version_at_a_time(admin_user):
    first = make_version(admin_user, diagram(GOOD))
    second = make_version(admin_user, diagram(chain(user_task("Other"))))
    first.refresh_from_db()
    assert (first.status, second.status, second.number) == (VersionStatus.RETIRED, VersionStatus.PUBLISHED, 2)


def test_an_unbound_end_cannot_be_published_away(admin_user):
    make_gate(admin_user, GOOD)
    other = make_version(admin_user, diagram(GOOD.replace("End_ok", "End_new")), publish=False)
    with pytest.raises(ValidationError, match="End_ok"):
        publish_version(version=other, by=admin_user)


def test_gates_name_ends_that_exist(admin_user):
    version = make_version(admin_user, diagram(GOOD), publish=False)
    make_stage("proposal")
    with pytest.raises(ValidationError):
        bind_gate(
            stage=make_stage("proposal"),
            definition=version.definition,
            granting_ends=["End_ok"],
            by=admin_user,
        )
    publish_version(version=version, by=admin_user)
    for ends in ([], ["Nowhere"]):
        with pytest.raises(ValidationError):
            bind_gate(
                stage=make_stage("proposal"), definition=version.definition, granting_ends=ends, by=admin_user
            )
    bind_gate(
        stage=make_stage("proposal"), definition=version.definition, granting_ends=["End_ok"], by=admin_user
    )
    assert StageGate.objects.get().granting_ends == ["End_ok"]


@pytest.mark.parametrize("who", ["rep", "head", "marketing"])
def test_only_publishers_keep_processes(company, who):
    version = make_version(company["admin"], diagram(GOOD))
    with pytest.raises(PermissionDenied):
        upload_diagram(data=diagram(GOOD), by=company[who])
    with pytest.raises(PermissionDenied):
        publish_version(version=version, by=company[who])
    with pytest.raises(PermissionDenied):
        bind_gate(
            stage=make_stage("proposal"),
            definition=version.definition,
            granting_ends=["End_ok"],
            by=company[who],
        )


def test_conditions_are_checked_against_the_fields_of_the_card(admin_user):
    """A field the deal does not have, and a day compared with a number, are errors; an attribute is known."""
    deals = make_deal(admin_user).deal_type.attribute_set
    Attribute.objects.create(attribute_set=deals, key="site", name="Site", kind="text")

    def errors(condition):
        body = chain('<bpmn:exclusiveGateway id="G" default="f1" />') + (
            '<bpmn:endEvent id="E2" /><bpmn:sequenceFlow id="c" sourceRef="G" targetRef="E2"><bpmn:conditionExpression>'
            f"{condition}</bpmn:conditionExpression></bpmn:sequenceFlow>"
        )
        version = make_version(admin_user, diagram(body), publish=False)
        return [(each["code"], each["element"]) for each in version.errors]

    assert errors("deal.amount &gt; 5 and deal.site == 'here'") == []
    assert errors("deal.gone == 5") == [("bad_condition", "c")]
    assert errors("deal.close_date == 5") == [("bad_condition", "c")]
