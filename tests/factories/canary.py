"""A chain of records with a marker in every field, text, file and number, which must never reach an outsider."""

from __future__ import annotations

import re
from decimal import Decimal

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from counterparties.models import CounterpartyType
from counterparties.services import create_contact, create_counterparty
from crm.attributes.models import AttributeKind
from crm.attributes.services import attributes_of
from crm.files.models import StoredFile
from crm.history.notes import add_comment
from crm.listing.models import Import
from crm.notify.services import notify
from crm.people.models import User
from deals.models import Deal, DealType
from deals.services import attach_to_deal, create_deal, edit_deal, request_stage
from leads.services import create_lead
from tests.factories.collab import make_activity, make_logged

MARK = "Zkanarek77"
PHONE, PHONE_DIGITS = "+48601918273", "601918273"
AMOUNT, AMOUNT_DIGITS = Decimal("91827364.55"), "91827364"
TRACES = (MARK.lower(), PHONE_DIGITS, AMOUNT_DIGITS)


def traces_in(content: bytes) -> list[str]:
    """Which of the markers stand in an answer, however its numbers are grouped."""
    text = content.decode("utf-8", "replace").replace("&nbsp;", "").lower()
    plain = re.sub(r"[\s,.\u00a0\u202f-]", "", text)
    return [trace for trace in TRACES if trace in plain]


def _attributes(attribute_set_id) -> dict:
    """A marked value for every attribute that can hold one."""
    marked = {AttributeKind.TEXT: MARK, AttributeKind.NUMBER: AMOUNT_DIGITS, AttributeKind.MONEY: AMOUNT}
    return {one.key: marked[one.kind] for one in attributes_of(attribute_set_id) if one.kind in marked}


def make_canary(owner: User) -> dict:
    """The records by their kind, made through the services as `owner`; history, notes and a file on each card."""
    texts = {"phone": PHONE, "email": f"{MARK}@canary.example", "city": MARK, "note": MARK}
    kind = CounterpartyType.objects.filter(is_active=True).first()
    counterparty = create_counterparty(
        counterparty_type=kind, by=owner, attributes=_attributes(kind.attribute_set_id),
        values={**texts, "name": MARK, "website": f"https://{MARK}.example", "address": MARK},
    )  # fmt: skip
    person = {name: value for name, value in texts.items() if name != "city"}
    contact = create_contact(
        values={**person, "first_name": MARK, "last_name": MARK, "position": MARK},
        by=owner, counterparty=counterparty, role=MARK,
    )  # fmt: skip
    lead = create_lead(
        values={**texts, "company": MARK, "first_name": MARK, "last_name": MARK, "position": MARK}, by=owner
    )
    deal = _deal(owner, counterparty, contact)
    cards = {"lead": lead, "deal": deal, "counterparty": counterparty, "contact": contact}
    activities = [
        make_activity(owner, subject=MARK, description=MARK, place=MARK, **{name: card})
        for name, card in cards.items()
    ]
    make_logged(owner, subject=MARK, result=MARK, deal=deal)
    for card in cards.values():
        add_comment(record=card, text=f"{MARK} {PHONE} {AMOUNT}", by=owner)
    stored = StoredFile.objects.get(name=f"{MARK}.txt")
    notify(user=owner, kind="canary", text="%(x)s", params={"x": MARK}, record=deal)
    imported = Import.objects.create(kind="leads.lead", file=stored, uploaded_by=owner)
    return {**cards, "activity": activities[1], "file": stored, "import": imported}


def _deal(owner: User, counterparty, contact) -> Deal:
    kind = DealType.objects.order_by("-is_default", "position", "id").first()
    deal = create_deal(
        name=MARK, counterparty=counterparty, deal_type=kind, contacts=[contact], amount=AMOUNT, by=owner,
        attributes=_attributes(kind.attribute_set_id),
    )  # fmt: skip
    upload = SimpleUploadedFile(f"{MARK}.txt", f"{MARK} {PHONE_DIGITS}".encode(), "text/plain")
    attach_to_deal(deal=deal, upload=upload, label=MARK, by=owner)
    edit_deal(deal=deal, values={"amount": AMOUNT + 1}, version=deal.version, by=owner)
    edit_deal(deal=deal, values={"amount": AMOUNT}, version=deal.version, by=owner)
    stages = list(deal.funnel.stages.order_by("position"))
    request_stage(deal=deal, stage=stages[1], reason=MARK, by=owner)
    return deal


LINK = re.compile(r'(?:href|hx-get|data-url|action)="(/[^"#]*)"')
# What changes from one answer to the next by itself: tokens, moments relative to now, and counters of ids.
NOISE = re.compile(
    r'<time[^>]*>.*?</time>|nonce-[^"\']+|name="(?:csrfmiddlewaretoken|form_token)" value="[^"]*"'
    r'|<meta name="csrf-token" content="[^"]*">|Content-Length: \d+',
    re.S,
)
QUERIES = ["zkanar", "601 918", "918273", "9182736", "canary.example"]


def starting_points() -> list[str]:
    """Searches, lists in every order with every page, exports and feeds that name no record."""
    points = ["/"]
    points += [f"{reverse(name)}?q={q}" for name in ("web:search", "web:palette") for q in QUERIES]
    lists = [
        "deals:deal_list", "leads:lead_list", "counterparties:counterparty_list", "counterparties:contact_list",
        "collab_calendar:activity_list",
    ]  # fmt: skip
    points += [f"{reverse(name)}?{query}" for name in lists for query in ("", *(f"q={q}" for q in QUERIES))]
    for name in (
        "counterparties:counterparty_options",
        "counterparties:contact_options",
        "leads:lead_options",
    ):
        points += [f"{reverse(name)}?q={q}" for q in QUERIES]
    return points


def crawl(client: Client, *, most: int) -> dict[str, bytes]:
    """{address: answer}, headers too, of everything that can be reached by links from the starting points."""
    waiting, answers = starting_points(), {}
    seen = set(waiting)
    while waiting and len(answers) < most:
        url = waiting.pop(0)
        response = client.get(url)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        answers[url] = str(response.status_code).encode() + b" " + response.serialize_headers() + body
        for found in LINK.findall(body.decode("utf-8", "replace")):
            link = found.replace("&amp;", "&")
            if link not in seen and not link.startswith(("/static/", "/accounts/", "/admin/", "/live/")):
                seen.add(link)
                waiting.append(link)
    return answers


def settled(answer: bytes) -> str:
    """The answer without what differs from one moment to the next."""
    return NOISE.sub("", answer.decode("utf-8", "replace"))
