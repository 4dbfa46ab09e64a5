"""Whatever is typed into the dialogs of a list, the answer is never a server error and nothing foreign changes."""

import pytest
from django.test import Client
from django.urls import reverse

from crm.listing.models import BulkRun, SavedView
from leads.models import Lead
from tests.factories.leads import make_lead

HOSTILE = [
    "\x00", "a\x00b", "\u202e\u0663", "x" * 20_000, "-1", "9" * 40, "1e999", "owner__password", "' OR 1=1 --", "%",
    "[]",
    "f=city:has:%00&f.1=x&f.2=owner:any:1,2,3&cols=a,b&sort=-owner__password&after=AAAA", "2026-13-45", "name", "city",
]  # fmt: skip
NAMES = (
    "query",
    "field",
    "operator",
    "value",
    "value2",
    "edit",
    "group",
    "column",
    "ids",
    "id",
    "all",
    "form",
    "name",
)
PAGES = [
    ("list_filter", ""), ("list_columns", ""), ("view_create", ""), ("export_create", ""), ("view_list", ""),
    ("bulk_create", "assign"), ("bulk_create", "edit"), ("bulk_create", "delete"),
]  # fmt: skip


@pytest.mark.parametrize(("page", "action"), PAGES)
def test_no_dialog_breaks(rep, outsider, page, action):
    foreign = make_lead(outsider, company="Foreign")
    make_lead(rep)
    client = Client(raise_request_exception=False)
    client.force_login(rep, backend="allauth.account.auth_backends.AuthenticationBackend")
    broken = []
    for turn in range(len(HOSTILE)):
        given = {name: HOSTILE[(place + turn) % len(HOSTILE)] for place, name in enumerate(NAMES)}
        for kind in ("leads.lead", "deals.deal"):
            given |= {"kind": kind, "action": action, "apply": "1", "confirmed": "1"}
            for answer in (
                client.get(reverse(f"lists:{page}"), given),
                client.post(reverse(f"lists:{page}"), given),
            ):
                if answer.status_code >= 500:
                    broken.append((turn, kind, answer.status_code))
    assert broken == []
    assert Lead.objects.get(pk=foreign.pk).version == 1
    for view in SavedView.objects.all():
        assert client.get(f"/leads/?{view.query}").status_code == 200


def test_foreign_ids_leave_no_trace(rep, outsider, run_jobs):
    foreign = make_lead(outsider, company="Foreign")
    client = Client()
    client.force_login(rep, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post(
        reverse("lists:bulk_create"),
        {"kind": "leads.lead", "query": "", "action": "edit", "ids": str(foreign.pk), "field": "city", "value": "x",
         "confirmed": "1"},
    )  # fmt: skip
    run_jobs()
    run = BulkRun.objects.get()
    assert run.items.count() == 0
    assert "Foreign" not in client.get(reverse("lists:bulk_detail", args=[run.pk])).content.decode()
    assert Lead.objects.get(pk=foreign.pk).city == ""
