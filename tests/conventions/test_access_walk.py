"""Every address × every persona × GET and POST, on a database with demo records of everybody.

A new address fails here until somebody says what record it takes: nothing is guarded by being forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client, override_settings
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone

from bpm.models import ProcessDefinition, ProcessInstance, ProcessVersion, StageGate, UserTask
from bpm.trigger_rules import add_trigger
from collab.calendar.grants import grant_calendar
from collab.calendar.models import Activity, ActivityTemplate, Resource
from collab.phones.devices import add_device
from collab.phones.guest_models import Guest, GuestLetter
from counterparties.matching.merging import merge_records
from counterparties.matching.models import MatchPair
from counterparties.models import Contact, ContactLink, Counterparty, HandOver
from crm.files.models import StoredFile
from crm.files.services import store_file
from crm.history.bin import delete_record
from crm.history.models import Deletion, Event
from crm.history.notes import add_comment
from crm.jobs.services import enqueue
from crm.listing.models import BulkRun, Export, FullExport, Import, SavedView
from crm.money.models import Rate
from crm.notify.models import Browser, Notification
from crm.people.invitations import Invitation
from crm.people.kinds import visible_pairs
from crm.people.models import User
from crm.web.demo import Demo, steps
from deals.models import (
    Competitor,
    Deal,
    DealCompetitor,
    DealContact,
    DealLine,
    DealType,
    Payment,
    Product,
)
from funnel.models import Funnel, Requirement, Stage
from leads.business_cards import PHOTO
from leads.models import Lead
from leads.services import edit_lead
from telephony.models import Call, Connection, Extension, Recording
from tests.factories.leads import make_lead

pytestmark = pytest.mark.django_db

PERSONAS = ["rep", "teammate", "head", "outsider", "marketing", "admin"]

# Addresses of ours that answer without signing in: language and theme of the sign-in page, the forms of visitors, what
# exchanges post signed events to, feeds behind a secret, and what the browser needs to install the product; none names
# a record or a person.
PUBLIC = {
    "web:preference",
    "web_forms:form_page",
    "telephony:hook",
    "people:invitation_acceptance",
    "collab_phones:feed",
    "dav:door",
    "dav:well_known",
    "guests:guest_answer",
    "web:manifest",
    "web:service_worker",
    "web:offline",
}

# What is nobody's but the one person's whose it is.
MINE = {"import", "job", "retry", "notification", "view", "export", "bulk", "grant", "device", "browser"}

# Which record the number in an address means: (pattern of the name, key of `records`).
TAKES = [
    (r"telephony:connection_\w+|telephony:extension_create", "connection"),
    (r"telephony:extension_delete", "extension"),
    (
        r"deals:(deal_(detail|update|files|lines|competitors|payments|quote|tile|stage|closure|reopening|withdrawal|proof|clone|override|question|assignment|close_month))",
        "deal",
    ),
    (r"funnel:(requirement_create|stage_update|stage_delete)", "stage"),
    (r"funnel:(funnel_update|stage_moves|stage_order|stage_create)", "funnel"),
    (r"funnel:stage_restore", "retired_stage"),
    (r"funnel:type_update", "deal_type"),
    (r"funnel:requirement_delete", "requirement"),
    (r"money:rate_\w+", "rate"),
    (r"web:dictionary_detail|web:entry_\w+", "entry"),
    (r"deals:contact_role", "deal_contact"),
    (r"deals:line_\w+", "line"),
    (r"deals:competitor_\w+", "competitor"),
    (r"deals:payment_schedule", "deal"),
    (r"deals:payment_\w+", "payment"),
    (r"deals:product_\w+", "product"),
    (r"deals:counterparty_deals|telephony:counterparty_calls", "counterparty"),
    (r"telephony:call_\w+", "call"),
    (r"telephony:recording_\w+", "recording"),
    (r"bpm:deal_processes|bpm:run_(start|offers)|(collab_calendar|telephony):deal_\w+", "deal"),
    (r"leads:lead_\w+|(collab_calendar|telephony):lead_\w+|bpm:lead_processes", "lead"),
    (r"counterparties:link_\w+", "link"),
    (r"counterparties:handover_\w+", "handover"),
    (r"counterparties:contact_\w+|(collab_calendar|telephony):contact_\w+|bpm:contact_processes", "contact"),
    (r"(counterparties|collab_calendar):counterparty_\w+|bpm:counterparty_processes", "counterparty"),
    (r"(collab_calendar|collab_phones):activity_\w+", "activity"),
    (r"collab_phones:device_\w+", "device"),
    (r"notify:browser_\w+", "browser"),
    (r"collab_phones:guest_\w+", "guest"),
    (r"collab_calendar:grant_\w+", "grant"),
    (r"collab_calendar:resource_\w+", "resource"),
    (r"collab_calendar:template_\w+", "activity_template"),
    (r"imports:import_\w+", "import"),
    (r"people:invitation_\w+", "invitation"),
    (r"lists:full_export_\w+", "full_export"),
    (r"lists:view_\w+", "view"),
    (r"lists:export_\w+", "export"),
    (r"lists:bulk_\w+", "bulk"),
    (r"files:file_download", "file"),
    (r"jobs:job_\w+", "job"),
    (r"notify:notification_reading", "notification"),
    (r"bpm:task_\w+", "task"),
    (r"bpm:retry_detail", "retry"),
    (r"bpm:(instance_\w+|diagram_xml)", "instance"),
    (r"bpm:(definition_detail|gate_create|trigger_create)", "definition"),
    (r"bpm:trigger_switch", "trigger"),
    (r"bpm:gate_delete", "gate"),
    (r"bpm:version_\w+", "version"),
    (r"matching:merge_undo", "merge"),
    (r"matching:pair_\w+", "pair"),
    (r"matching:merge_partner", "lead"),
    (r"history:comment_(update|removal)", "comment"),
    (r"history:event_\w+", "event"),
    (r"history:deletion_\w+", "deletion"),
    (r"lists:record_tags|lists:cell_update|history:\w+|web:card_next|web:record_\w+", "deal"),
]


def addresses(patterns=None, prefix: str = "", space: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = prefix + str(pattern.pattern)
        if route.startswith("admin/"):
            continue
        if hasattr(pattern, "url_patterns"):
            yield from addresses(pattern.url_patterns, route, pattern.namespace or space)
        else:
            yield f"{space}:{pattern.name}" if space else pattern.name, pattern


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(autouse=True)
def files_of_the_demo(settings, media, quick_settings):
    settings.MEDIA_ROOT = media


@pytest.fixture(scope="module")
def records(django_db_setup, django_db_blocker, media) -> Iterator[dict]:
    """Demo data, loaded once, and of each kind one record of the rep's that the outsider must not see."""
    cheap = {"MEDIA_ROOT": media, "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"]}
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(**cheap):
        yield make_records()
        transaction.set_rollback(True)


def make_records() -> dict:
    demo = Demo(scale="small", today=date.today(), say=lambda text: None)
    for step in steps():
        step.load(demo)
    rep, outsider = User.objects.get(username="rep"), User.objects.get(username="outsider")
    foreign = ProcessInstance.objects.visible_to(outsider)
    instance = ProcessInstance.objects.visible_to(rep).exclude(pk__in=foreign.values("pk")).first()
    deal = Deal.objects.filter(owner=rep, stage_requests__status="pending").first()
    stored = StoredFile.objects.filter(
        record_kind="deals.deal", record_id__in=Deal.objects.filter(owner=rep)
    ).first()
    photo = SimpleUploadedFile("card.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 20, "image/png")
    store_file(upload=photo, by=rep, record=Lead.objects.filter(owner=rep).first(), label=PHOTO)
    return {
        "deal": deal,
        "deal_contact": DealContact.objects.filter(deal__owner=rep, contact__owner=rep).first(),
        "line": DealLine.objects.filter(deal__owner=rep).first(),
        "competitor": DealCompetitor.objects.create(
            deal=Deal.objects.filter(owner=rep).first(), competitor=Competitor.objects.create(name="Polmag")
        ),
        "entry": Competitor.objects.create(name="Metalex"),
        "payment": Payment.objects.filter(deal__owner=rep).first(),
        "product": Product.objects.first(),
        "rate": Rate.objects.first(),
        "lead": Lead.objects.filter(owner=rep).first(),
        "counterparty": Counterparty.objects.filter(owner=rep).first(),
        "contact": Contact.objects.filter(owner=rep).first(),
        "link": ContactLink.objects.filter(counterparty__owner=rep).first(),
        "handover": HandOver.objects.create(source=rep, made_by=User.objects.get(username="head")),
        "activity": Activity.objects.filter(owner=rep, deal__owner=rep).first(),
        "guest": make_guest(Activity.objects.filter(owner=rep, deal__owner=rep).first(), rep),
        "device": add_device(values={"name": "Phone"}, by=rep)[0],
        "browser": Browser.objects.create(
            user=rep, endpoint="https://push.example/", public_key="k", auth="a"
        ),
        "resource": Resource.objects.create(name="Amber room"),
        "activity_template": ActivityTemplate.objects.first(),
        "grant": grant_calendar(owner=rep, to=outsider, level="busy", by=rep),
        "call": Call.objects.filter(owner=rep, contact__owner=rep, deal=None, lead=None).first(),
        "connection": Connection.objects.first(),
        "extension": Extension.objects.last(),
        "recording": Recording.objects.filter(call__owner=rep).first(),
        "stage": Stage.objects.first(),
        "requirement": Requirement.objects.first(),
        "funnel": Funnel.objects.first(),
        "deal_type": DealType.objects.first(),
        "retired_stage": Stage.objects.create(
            funnel=Funnel.objects.first(), key="retired", name="Retired", position=99, is_active=False
        ),
        "import": Import.objects.create(kind="leads.lead", file=stored, uploaded_by=rep),
        "invitation": Invitation.objects.create(
            email="new@demo.example",
            invited_by=User.objects.get(username="admin"),
            expires_at=timezone.now() + timedelta(days=1),
        ),
        "view": SavedView.objects.create(kind="leads.lead", name="Mine", owner=rep),
        "export": Export.objects.create(kind="leads.lead", file=stored, made_by=rep),
        "full_export": FullExport.objects.create(file=stored, made_by=User.objects.get(username="admin")),
        "bulk": BulkRun.objects.create(kind="leads.lead", action="delete", made_by=rep),
        "file": stored,
        "job": enqueue(kind="listing.import_run", args={"import_id": 0}, by=rep),
        "retry": enqueue(kind="bpm.retry_held", args={"runs": []}, by=rep, total=0),
        "notification": Notification.objects.filter(user=rep).first(),
        "instance": instance,
        "task": UserTask.objects.filter(instance=instance).first(),
        "definition": ProcessDefinition.objects.first(),
        "version": ProcessVersion.objects.first(),
        "gate": StageGate.objects.first(),
        "trigger": add_trigger(
            definition=ProcessDefinition.objects.first(), kind="hand", by=User.objects.get(username="admin")
        ),
        "comment": add_comment(record=Lead.objects.filter(owner=rep).first(), text="Note", by=rep),
        "event": edited_event(rep, Lead.objects.filter(owner=rep).first()),
        "merge": merge_records(survivor=make_lead(rep), merged=[make_lead(rep)], by=rep),
        "pair": make_pair(make_lead(rep), make_lead(rep)),
        "deletion": delete_record(record=make_lead(rep), by=rep),
    }


def make_guest(activity: Activity, by: User) -> Guest:
    letter = GuestLetter.objects.create(activity=activity, title="Meeting", by=by)
    return Guest.objects.create(letter=letter, email="guest@example.com")


def make_pair(one: Lead, other: Lead) -> MatchPair:
    kinds = {"first_kind": "leads.lead", "second_kind": "leads.lead"}
    return MatchPair.objects.create(**kinds, first_id=one.pk, second_id=other.pk, score=90, reasons=["name"])


def edited_event(rep: User, lead: Lead) -> Event:
    edit_lead(lead=lead, values={"city": "Wieliczka"}, version=lead.version, by=rep)
    return Event.objects.filter(kind="lead_changed", subject_id=lead.pk).latest("pk")


def seen_by(key: str, record, user: User) -> bool:
    """Whether the persona may see the record that the address names."""
    if key in {"deal", "lead", "counterparty", "contact", "activity", "instance", "handover", "call"}:
        return type(record).objects.visible_to(user).filter(pk=record.pk).exists()
    if key in {"line", "payment", "deal_contact", "competitor"}:
        return Deal.objects.visible_to(user).filter(pk=record.deal_id).exists()
    if key == "recording":
        return Call.objects.visible_to(user).filter(pk=record.call_id).exists()
    if key == "link":
        return Counterparty.objects.visible_to(user).filter(pk=record.counterparty_id).exists()
    if key == "guest":
        return Activity.objects.visible_to(user).filter(pk=record.letter.activity_id).exists()
    if key in {"invitation", "full_export"}:
        return user.username == "admin"
    if key == "task":
        return ProcessInstance.objects.visible_to(user).filter(pk=record.instance_id).exists()
    if key == "file":
        return bool(visible_pairs(user, [(record.record_kind, record.record_id)]))
    if key == "comment":
        return Lead.objects.visible_to(user).filter(pk=record.event.subject_id).exists()
    if key == "pair":
        return Lead.objects.visible_to(user).filter(pk=record.first_id).exists()
    if key == "merge":
        return Lead.objects.visible_to(user).filter(pk=record.survivor_id).exists()
    if key == "event":
        return Lead.objects.visible_to(user).filter(pk=record.subject_id).exists()
    if key == "deletion":
        return Deletion.objects.visible_to(user).filter(pk=record.pk).exists()
    if key in MINE:
        return user.username == "rep"
    return True


def target(name: str, pattern: URLPattern, records: dict) -> tuple[str, str, object]:
    """(address, key of the record it names, the record); the key is empty for an address without a record."""
    converters = pattern.pattern.converters
    if not converters:
        return reverse(name), "", None
    key = next((key for shape, key in TAKES if re.fullmatch(shape, name)), None)
    assert key, f"{name} takes {sorted(converters)}: say in TAKES which record that is"
    values = {
        "pk": records[key].pk,
        "kind": records[key]._meta.label_lower,
        "key": records[key]._meta.label_lower.replace(".", "-"),
        "token": 1,
        "trigger": records["trigger"].pk,
        "number": 1,
        "field": "owner",
    }
    return reverse(name, kwargs={part: values[part] for part in converters}), key, records[key]


def own_addresses() -> list[tuple[str, URLPattern]]:
    return [
        (name, pattern)
        for name, pattern in addresses()
        if name not in PUBLIC and not name.startswith(("account_", "mfa_"))
    ]


def test_nobody_gets_in_without_signing_in(records):
    for name, pattern in own_addresses():
        url, _, _ = target(name, pattern, records)
        for method in ("get", "post"):
            answer = getattr(Client(), method)(url)
            assert answer.status_code in {302, 401, 405}, (name, method, answer.status_code)
            if answer.status_code == 302:
                assert answer["Location"].startswith("/accounts/login/"), (name, method)


@pytest.mark.parametrize("login", PERSONAS)
def test_what_one_may_not_see_does_not_exist(records, login):
    """404 (or 405) for the invisible, never 404 for a GET of the visible, never a server error for anything."""
    assert all(records.values()), [key for key, record in records.items() if not record]
    user = User.objects.get(username=login)
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    wrong = []
    for method in ("get", "post"):
        for name, pattern in own_addresses():
            url, key, record = target(name, pattern, records)
            visible = seen_by(key, record, user) if key else True
            status = getattr(client, method)(url).status_code
            if status >= 500 or (not visible and status not in {404, 405}):
                wrong.append((name, method, status, "visible" if visible else "hidden"))
            if visible and method == "get" and status == 404 and key not in {"", "task", "import"}:
                wrong.append((name, method, status, "visible"))
    assert wrong == []


@pytest.mark.parametrize("login", ["outsider", "marketing"])
def test_a_refused_request_writes_nothing(records, login):
    """After POSTing to every address of the rep's records as somebody who does not see them, the rows are the same."""
    user = User.objects.get(username=login)
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    hidden = {key: record for key, record in records.items() if not seen_by(key, record, user)}
    before = {key: type(record).objects.filter(pk=record.pk).values().get() for key, record in hidden.items()}
    for name, pattern in own_addresses():
        url, key, _ = target(name, pattern, records)
        if key in hidden:
            client.post(
                url,
                {"text": "x", "name": "x", "stage": "1", "status": "won", "outcome": "agree", "version": "1"},
            )
    after = {key: type(record).objects.filter(pk=record.pk).values().get() for key, record in hidden.items()}
    assert after == before


def test_unknown_numbers_are_not_found(records):
    """Every address with a number answers 404 (405, 403) for one that nobody has, also for a huge one."""
    client = Client(raise_request_exception=False)
    client.force_login(
        User.objects.get(username="admin"), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    for name, pattern in own_addresses():
        url, key, record = target(name, pattern, records)
        if not key:
            continue
        for number in (999_999_999, 10**25):
            unknown = re.sub(rf"/{record.pk}/", f"/{number}/", url, count=1)
            if unknown == url:
                continue
            status = client.get(unknown).status_code
            assert status in {404, 405, 403}, (name, number, status)
