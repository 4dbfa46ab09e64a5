"""vCards: a contact as a QR code and a file, a list as one file, and people read from somebody's file."""

from __future__ import annotations

import segno
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from counterparties.duplicates import duplicate_contacts
from counterparties.forms import VCardForm
from counterparties.models import Contact, ContactLink, Counterparty
from counterparties.rows import EMAILS, PHONES
from counterparties.services import create_contact
from counterparties.vcard_reading import LARGEST, Person, read_vcards
from counterparties.vcards import organisation_vcard, qr_svg, vcard
from crm.listing.lists import reopen
from crm.people.fields import mask
from crm.people.folding import fold
from crm.people.visibility import demand_kind
from crm.web.access import get_visible
from crm.web.htmx import page, redirect
from crm.web.toasts import toast
from crm.web.tokens import once

MOST = 1000
SALT = "counterparties.vcards"
ONE_DAY = 86_400


def _organisations(user, contacts: list[Contact]) -> dict[int, str]:
    """{contact id: the counterparty he stands for} as far as the reader sees it; primary links win. One query."""
    links = ContactLink.objects.filter(
        contact__in=contacts, counterparty__in=Counterparty.objects.visible_to(user)
    ).select_related("counterparty")
    return {link.contact_id: link.counterparty.name for link in links.order_by("is_primary", "-pk")}


def _download(text: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type="text/vcard; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.vcf"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def contact_vcard(request, pk: int):
    """The contact's card to scan or to load down."""
    record = get_visible(Contact, request.user, pk)
    return page(request, "counterparties/contact_vcard.html", {"record": record}, partial="dialog")


@require_safe
def contact_vcf(request, pk: int):
    """The contact as a file."""
    record = get_visible(Contact, request.user, pk)
    organisation = _organisations(request.user, [record]).get(pk, "")
    name = "-".join(fold(str(record)).split()) or "contact"
    ascii_name = "".join(char for char in name if char.isascii() and (char.isalnum() or char == "-"))
    return _download(vcard(record, organisation), ascii_name or "contact")


@require_safe
def contact_qr(request, pk: int):
    """The contact as an SVG to scan, without the note, which would make it too dense."""
    record = get_visible(Contact, request.user, pk)
    record.note = ""
    try:
        picture = qr_svg(vcard(record, _organisations(request.user, [record]).get(pk, "")))
    except segno.DataOverflowError:
        raise Http404 from None
    response = HttpResponse(picture, content_type="image/svg+xml")
    response["Cache-Control"] = "no-store"
    return response


@require_safe
def vcards(request):
    """Chosen rows of a list (`kind`, `query`, `ids`), or `all` of it, at most MOST, as one file for address books."""
    given = request.GET
    found = reopen(given.get("kind", ""), given.get("query", ""), request.user)
    if found is None or found.model not in _CARDS:
        raise Http404
    if not request.user.access.may(found.model, "export"):
        raise PermissionDenied
    allowed = found.model.objects.visible_to(request.user, "export")
    rows = (
        found.matching_rows if given.get("all") else found.visible.filter(pk__in=_ids(given.get("ids", "")))
    )
    rows = rows.filter(pk__in=allowed.values("pk")).order_by("sort_key", "pk")
    text, name = _CARDS[found.model](request.user, rows)
    return _download(text, name)


def _ids(text: str) -> list[int]:
    """Whatever is no number is left out."""
    return [
        int(part) for part in text.split(",")[:MOST] if part.isascii() and part.isdecimal() and len(part) < 19
    ]


def _contact_cards(user, rows) -> tuple[str, str]:
    found = list(rows[:MOST])
    mask(user, found)
    organisations = _organisations(user, found)
    return "".join(vcard(row, organisations.get(row.pk, "")) for row in found), "contacts"


def _counterparty_cards(user, rows) -> tuple[str, str]:
    found = list(rows.select_related("counterparty_type", "region")[:MOST])
    mask(user, found)
    return "".join(organisation_vcard(row) for row in found), "counterparties"


_CARDS = {Contact: _contact_cards, Counterparty: _counterparty_cards}


@require_http_methods(["GET", "HEAD", "POST"])
@once
def contact_upload(request):
    """First the file, then a preview with what is there already, then the chosen people are added."""
    demand_kind(request.user, "create", Contact)
    if "people" in request.POST:
        return _add_chosen(request)
    form = VCardForm(request.POST or None, request.FILES or None)
    people = None
    if request.method == "POST" and form.is_valid():
        try:
            people = [one for one in read_vcards(form.cleaned_data["file"].read(LARGEST + 1)) if one.name]
        except ValidationError as error:
            form.add_error("file", error)
    if people is None:
        status = 422 if request.method == "POST" else 200
        return page(request, "counterparties/contact_upload.html", {"form": form}, status=status)
    return page(request, "counterparties/contact_upload.html", _preview(request.user, people))


def _preview(user, people: list[Person]) -> dict:
    """Each person with the values that can be kept and the contacts that look the same."""
    rows = []
    for person in people:
        values, left_out = _sound(person)
        found = duplicate_contacts(user, values)
        rows.append({"person": person, "values": values, "left_out": left_out, "duplicates": found})
    packed = signing.dumps([row["values"] for row in rows], salt=SALT, compress=True)
    return {"rows": rows, "packed": packed}


def _sound(person: Person) -> tuple[dict, list[str]]:
    """(values, what no contact can hold): a broken number must not cost the whole person."""
    values: dict = {
        "first_name": person.first_name, "last_name": person.last_name, "position": person.position,
        "note": person.note, "phones": person.phones, "emails": person.emails,
    }  # fmt: skip
    left_out = []
    for many, shape in (("phones", PHONES), ("emails", EMAILS)):
        kept = []
        for row in values[many]:
            try:
                kept += shape.clean_rows([row])
            except ValidationError:
                left_out.append(row["raw"] if isinstance(row, dict) else row)
        values[many] = kept
    return values, left_out


def _add_chosen(request):
    try:
        people = signing.loads(request.POST["people"], salt=SALT, max_age=ONE_DAY)
    except signing.BadSignature:
        raise Http404 from None
    chosen = {int(text) for text in request.POST.getlist("chosen") if text.isdecimal() and len(text) < 6}
    with transaction.atomic():
        made = [
            create_contact(values=values, by=request.user)
            for place, values in enumerate(people)
            if place in chosen
        ]
    text = ngettext("%(count)s contact added.", "%(count)s contacts added.", len(made))
    toast(request, text % {"count": len(made)})
    return redirect(request, reverse("counterparties:contact_list"))
