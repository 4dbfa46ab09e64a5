"""Business cards: a lead with the photo of its card, and leads from the cards of a phone."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.cleaning import clean_what_can_be
from counterparties.vcard_reading import Person
from crm.files.models import StoredFile
from crm.files.services import store_file
from leads.models import LEAD_KIND, Lead
from leads.services import create_lead

PHOTO = "business card"
MOST_BYTES = 10 * 1024 * 1024
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def image_type(head: bytes) -> str:
    """The type of a picture by its first bytes; empty for anything that browsers should not be shown."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for sign, kind in _SIGNATURES.items() if head.startswith(sign)), "")


def check_photo(upload: UploadedFile) -> None:
    """Raises ValidationError for what is no picture, or too large a one."""
    head = upload.read(12)
    upload.seek(0)
    if not image_type(head):
        raise ValidationError(_("Take a picture as JPEG, PNG or WebP."))
    if (upload.size or 0) > MOST_BYTES:
        raise ValidationError(_("The picture is larger than 10 MB."))


@transaction.atomic
def add_card(*, values: dict, attributes: dict | None, photo: UploadedFile | None, by) -> Lead:
    """A lead with the photo of its card kept among its files. Raises PermissionDenied, ValidationError."""
    lead = create_lead(values=values, attributes=attributes, by=by)
    if photo is not None:
        check_photo(photo)
        store_file(upload=photo, by=by, record=lead, label=PHOTO)
    return lead


def photo_of(lead: Lead) -> StoredFile | None:
    """The photo of the lead's card."""
    return (
        StoredFile.objects.filter(record_kind=LEAD_KIND, record_id=lead.pk, label=PHOTO)
        .order_by("-id")
        .first()
    )


def add_vcards(*, cards: list[Person], kept: dict, by) -> tuple[list[Lead], int]:
    """A lead of each card with the `kept` values (source, owner); the leads, and how many cards make none.

    What of a card does not fit its field, such as half a phone number, goes to the note.
    """
    made, skipped = [], 0
    for card in cards:
        try:
            with transaction.atomic():
                made.append(create_lead(values={**fitting_values(card), **kept}, by=by))
        except ValidationError:
            skipped += 1
    return made, skipped


def fitting_values(person: Person) -> dict[str, str]:
    """A card's values in the stored spelling; those that do not fit are written into the note."""
    card = {
        "company": person.organisation, "first_name": person.first_name, "last_name": person.last_name,
        "position": person.position, "phone": person.best_phone, "email": person.best_email,
        "website": person.website, "city": person.city, "note": person.note,
    }  # fmt: skip
    cleaned = clean_what_can_be(card, tuple(card))
    lost = [card[name] for name in ("phone", "email", "website") if card[name] and not cleaned.get(name)]
    note = "\n".join(part for part in (card["note"], *lost) if part)
    return {**{name: cleaned.get(name, "") for name in card}, "note": note}
