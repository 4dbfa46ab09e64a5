"""Templates of activities: who keeps them, what forms offer, and what is never stored."""

import json
import re
from html import unescape

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.urls import reverse

from collab.calendar.activity_templates import (
    ActivityTemplate,
    order_templates,
    retire_template,
    save_template,
)
from collab.calendar.models import Activity
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db
GOOD = {
    "name": "After the fair", "name_pl": "Po targach", "kind": "meeting", "subject": "<Fair>", "minutes": "90",
    "remind": ["5", "1440"], "description": "Ask\nwho decides",
}  # fmt: skip


def url(name: str, *args) -> str:
    return reverse(f"collab_calendar:template_{name}", args=args)


def make_template(by, name: str, **values) -> ActivityTemplate:
    return save_template(values={"name": name, "kind": "call", **values}, by=by)


def offered(page: str) -> dict[str, dict]:
    """What the choice of a form fills, by the name of the template."""
    found = re.findall(r'<option data-fills="([^"]*)">([^<]*)</option>', page)
    return {unescape(name): json.loads(unescape(fills)) for fills, name in found}


def test_only_who_may_change_the_company_keeps_them(signed_in, rep, head, admin_user):
    template = make_template(admin_user, "Thanks")
    pages = [url("list"), url("create"), url("order"), url("update", template.pk)]
    for person in (rep, head):
        client = signed_in(person)
        assert {client.get(page).status_code for page in pages} == {403}
        assert client.post(url("create"), GOOD).status_code == 403
        assert client.post(url("retirement", template.pk)).status_code == 403
        assert url("list") not in client.get(reverse("collab_calendar:calendar")).content.decode()
        for service, values in [
            (save_template, {"values": {"name": "x", "kind": "call"}}), (order_templates, {"ids": []}),
            (retire_template, {"template": template, "is_active": False}),
        ]:  # fmt: skip
            with pytest.raises(PermissionDenied):
                service(by=person, **values)
    client = signed_in(admin_user)
    assert {client.get(page).status_code for page in pages} == {200}
    assert client.get(url("retirement", template.pk)).status_code == 405
    assert client.get(url("update", 10**9)).status_code == 404
    assert url("list") in client.get(reverse("collab_calendar:calendar")).content.decode()
    assert ActivityTemplate.objects.get().is_active


def test_kept_retired_ordered_and_offered(signed_in, rep, admin_user):
    """In the form of one activity and in that of many; on an activity that stands already, nothing."""
    client = signed_in(admin_user)
    assert client.post(url("create"), GOOD).status_code == 302
    for number in range(2):
        client.post(
            url("create"), {**GOOD, "name": f"No {number}", "name_pl": "", "remind": [], "subject": ""}
        )
    first, second, third = ActivityTemplate.objects.all()
    client.post(url("update", first.pk), {**GOOD, "minutes": "60"})
    client.post(url("order"), {"row": [third.pk, first.pk, "x", 10**9]})
    client.post(url("retirement", second.pk))
    assert "Retired" in client.get(url("list")).content.decode()
    fills = {
        "No 1": {
            "kind": "meeting", "minutes": 90, "subject": "", "remind": [], "description": "Ask\nwho decides",
        },
        "After the fair": {
            "kind": "meeting", "minutes": 60, "subject": "<Fair>", "remind": [5, 1440],
            "description": "Ask\nwho decides",
        },
    }  # fmt: skip
    lead, client = make_lead(rep), signed_in(rep)
    page = client.get(reverse("collab_calendar:activity_create")).content.decode()
    assert offered(page) == fills and list(offered(page)) == list(fills)
    asked = {"kind": "leads.lead", "query": "view=0", "deed": "collab_calendar.plan", "ids": lead.pk}
    many = client.post(reverse("lists:bulk_create"), asked).content.decode()
    assert offered(many) == fills and 'data-prefix="plan-"' in many
    client.post(
        reverse("collab_calendar:activity_create"),
        {"kind": "call", "starts_at": "2027-03-01T10:00", "minutes": "15"},
    )
    standing = reverse("collab_calendar:activity_update", args=[Activity.objects.get().pk])
    assert "data-template-choice" not in client.get(standing).content.decode()
    second.refresh_from_db()
    retire_template(template=second, is_active=True, by=admin_user)
    assert len(offered(client.get(reverse("collab_calendar:activity_create")).content.decode())) == 3


def test_what_makes_no_sense_is_a_422_and_writes_nothing(signed_in, admin_user):
    make_template(admin_user, "Taken")
    client = signed_in(admin_user)
    for wrong in [
        {"name": ""}, {"name": "Taken"}, {"name": "x" * 121}, {"name": "a\x00b"}, {"kind": "pigeon"}, {"kind": ""},
        {"minutes": "7"}, {"minutes": "-5"}, {"minutes": "x"}, {"remind": ["7"]}, {"remind": ["x"]},
        {"subject": "x" * 201}, {"description": "x" * 10_001},
    ]:  # fmt: skip
        assert client.post(url("create"), {**GOOD, **wrong}).status_code == 422, wrong
    for wrong in [
        {"kind": "pigeon"},
        {"minutes": 10**4},
        {"remind": [7]},
        {"remind": "5"},
        {"remind": [5] * 9},
    ]:
        with pytest.raises(ValidationError):
            make_template(admin_user, "New", **wrong)
    assert [one.name for one in ActivityTemplate.objects.all()] == ["Taken"]
