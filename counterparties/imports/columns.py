"""The columns of files of counterparties and of contacts."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from counterparties.imports import reach
from counterparties.imports.consenting import consent_columns
from counterparties.imports.requisites import address_columns, category_column, requisite_columns
from counterparties.models import CONTACT_KIND, Contact, CounterpartyType
from crm.attributes.models import Attribute, AttributeSet
from crm.attributes.services import attributes_of
from crm.listing.imports.headers import HEADERS
from crm.listing.imports.registry import ImportField
from crm.listing.imports.vocabulary import attribute_columns, column, names, writable

COUNTERPARTY_KIND = "counterparties.counterparty"
_PERSON = ("first_name", "last_name")
CONTACT_WRITES = {"person": _PERSON, "person_turned": _PERSON, **reach.WRITES}


def active_types() -> list[CounterpartyType]:
    """The types a row may name; the first is what a row without one becomes."""
    return list(CounterpartyType.objects.filter(is_active=True).order_by("is_person", "position", "id"))


def attributes_of_types() -> list[Attribute]:
    """The attributes of all types, one of each name: a row fills those its type has."""
    found: dict[str, Attribute] = {}
    sets = (
        CounterpartyType.objects.filter(is_active=True)
        .order_by("is_person", "position")
        .values("attribute_set_id")
    )
    rows = Attribute.objects.filter(attribute_set_id__in=sets, archived=False, is_converting=False)
    for attribute in rows.order_by("attribute_set_id", "position", "id"):
        found.setdefault(attribute.key, attribute)
    return list(found.values())


def contact_attributes() -> list[Attribute]:
    pk = AttributeSet.objects.filter(kind=CONTACT_KIND).order_by("pk").values_list("pk", flat=True).first()
    return attributes_of(pk)


def _type_column() -> ImportField:
    choices = tuple((one.pk, (one.name, one.name_pl, one.key)) for one in active_types())
    return ImportField(
        "counterparty_type", _("Type"), kind="choice", choices=choices,
        aliases=names("Typ, Rodzaj, Typ kontrahenta, Kind, Account type"),
    )  # fmt: skip


def counterparty_columns(user) -> list[ImportField]:
    """The counterparty's own columns, and those of one person to talk to there."""
    own = [
        column("company", new_key="name", required=True),
        _type_column(),
        column("tax_number"),
        *(column(key) for key in reach.COLUMNS),
        column("website"),
        *address_columns(),
        *requisite_columns(),
        category_column(),
        *(column(key) for key in ("owner", "tags", "note")),
    ]
    extra = [replace(one, required=False) for one in attribute_columns(attributes_of_types())]
    behind = {one.key: ("addresses",) for one in own if one.key.startswith(("postal_", "delivery_"))}
    behind = {**behind, **reach.WRITES, "postal_code": ("postal_code",)}
    found = writable([*own, *extra], user, COUNTERPARTY_KIND, behind)
    if user.access.may(Contact, "create"):
        writes = {f"contact_{key}": (key, *CONTACT_WRITES.get(key, ())) for key in _SAID}
        found += writable(_person_columns(), user, CONTACT_KIND, writes)
    return found


_SAID = {
    "person": (_("Contact: first and last name"), "Osoba, Kontakt, Imię i nazwisko, Osoba kontaktowa"),
    "first_name": (_("Contact: first name"), "Imię, Imię osoby, Imię kontaktu"),
    "last_name": (_("Contact: last name"), "Nazwisko, Nazwisko osoby, Nazwisko kontaktu"),
    "position": (_("Contact: position"), "Stanowisko, Stanowisko osoby, Rola, Contact position"),
    "phone": (
        _("Contact: phone"),
        "Telefon osoby, Telefon kontaktu, Telefon osoby kontaktowej, Tel. osoby, Tel. do osoby, Contact phone",
    ),
    "email": (
        _("Contact: e-mail"),
        "E-mail osoby, E-mail kontaktu, E-mail osoby kontaktowej, Mail osoby, Contact email, Contact e-mail",
    ),
}  # fmt: skip


def _person_columns() -> list[ImportField]:
    found = []
    for key, (label, aliases) in _SAID.items():
        shared = () if key in ("phone", "email") else column(key).aliases
        found.append(
            column(
                key, new_key=f"contact_{key}", label=label, joins=False, aliases=(*names(aliases), *shared)
            )
        )
    return found


def role_column() -> ImportField:
    """What the person is at the counterparty he is brought to."""
    return ImportField("role", _("Role at the counterparty"), max_length=80, aliases=HEADERS["role"])


def contact_columns(user) -> list[ImportField]:
    own = [
        *(column(key) for key in ("person", "person_turned", "first_name", "last_name")),
        ImportField(
            "counterparty", _("Counterparty"), kind="record", records=(COUNTERPARTY_KIND,),
            creatable=user.access.may(COUNTERPARTY_KIND, "create"),
            aliases=(*column("company").aliases, *column("tax_number").aliases, str(column("company").label)),
        ),
        role_column(),
        column("position"),
        *(column(key) for key in reach.COLUMNS),
        *consent_columns(),
        *(column(key) for key in ("owner", "tags", "note")),
    ]  # fmt: skip
    return writable([*own, *attribute_columns(contact_attributes())], user, CONTACT_KIND, CONTACT_WRITES)


COUNTERPARTY_EXAMPLE = (
    {
        "name": "Przykładowa Firma Sp. z o.o.", "tax_number": "526-025-02-74", "country": "PL", "phone": "22 123 45 67",
        "email": "biuro@przyklad.example", "website": "www.przyklad.example", "city": "Warszawa",
        "address": "ul. Prosta 1", "postal_code": "00-001",
        "accounts": "61 1090 1014 0000 0712 1981 2874", "contact_person": "Anna Przykład",
        "contact_position": "dyrektor", "contact_phone": "601 234 567", "contact_email": "anna@przyklad.example",
    },
    {
        "name": "Przykładowa Firma Sp. z o.o.", "tax_number": "526-025-02-74", "contact_person": "Jan Wzór",
        "contact_position": "magazyn", "contact_phone": "602 345 678",
    },
)  # fmt: skip
CONTACT_EXAMPLE = (
    {
        "person": "Anna Przykład", "counterparty": "Przykładowa Firma Sp. z o.o.", "position": "dyrektor",
        "role": "decyduje o zakupie",
        "phone_mobile": "601 234 567", "phone_work": "22 123 45 67", "email": "anna@przyklad.example",
        "consent_email": "tak", "note": "Rano na budowie",
    },
)  # fmt: skip
