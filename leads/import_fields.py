"""The columns of a file of leads."""

from __future__ import annotations

from crm.attributes.models import Attribute, AttributeSet
from crm.attributes.services import attributes_of
from crm.listing.imports.registry import ImportField
from crm.listing.imports.vocabulary import attribute_columns, column, writable
from leads.models import LEAD_KIND, LeadSource

FIELDS = [
    *(column(key) for key in ("company", "person", "person_turned", "first_name", "last_name", "position")),
    column("phone", also=("phone_mobile", "phone_work", "phone_home")),
    column("phone_2"),
    column("email", also=("email_2", "email_work", "email_home")),
    *(column(key) for key in ("tax_number", "website", "city")),
    column("source", kind="dictionary", dictionary=LeadSource),
    *(column(key) for key in ("owner", "tags", "note")),
]
EXAMPLE = (
    {
        "company": "Przykładowa Firma Sp. z o.o.", "person": "Anna Przykład", "position": "dyrektor",
        "phone": "22 123 45 67", "phone_2": "601 234 567", "email": "anna@przyklad.example",
        "tax_number": "526-025-02-74", "website": "www.przyklad.example", "city": "Warszawa",
        "note": "Spotkana na targach",
    },
)  # fmt: skip
_WRITES = {
    "person": ("first_name", "last_name"),
    "person_turned": ("first_name", "last_name"),
    "phone_2": ("phone", "note"),
}


def lead_attributes() -> list[Attribute]:
    """The attributes an administrator gave to leads."""
    pk = AttributeSet.objects.filter(kind=LEAD_KIND).order_by("pk").values_list("pk", flat=True).first()
    return attributes_of(pk)


def fields_for(user) -> list[ImportField]:
    """Without what the user may not write; several columns may fill one field."""
    return writable([*FIELDS, *attribute_columns(lead_attributes())], user, LEAD_KIND, _WRITES)
