"""The columns people keep leads in, by the names they give them in Polish and English."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind, AttributeSet
from crm.attributes.services import attributes_of
from crm.listing.imports.registry import ImportField
from leads.models import LEAD_KIND

_KINDS = {
    AttributeKind.TEXT: "long_text",
    AttributeKind.NUMBER: "number",
    AttributeKind.MONEY: "money",
    AttributeKind.DATE: "date",
    AttributeKind.CHOICE: "choice",
    AttributeKind.BOOL: "yes_no",
    AttributeKind.CHOICES: "choices",
    AttributeKind.PERSON: "user",
    AttributeKind.LINK: "text",
    AttributeKind.URL: "url",
    AttributeKind.PHONE: "phone",
    AttributeKind.EMAIL: "email",
}


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


FIELDS = (
    ImportField(
        "company",
        _("Company"),
        max_length=200,
        aliases=_names(
            "Nazwa firmy, Firma, Nazwa, Klient, Nazwa klienta, Kontrahent, Organizacja, Przedsiębiorstwo, "
            "Company name, Account, Account name, Organization, Business name"
        ),
    ),
    ImportField(
        "person",
        _("First and last name"),
        max_length=200,
        aliases=_names(
            "Imię i nazwisko, Osoba kontaktowa, Osoba, Kontakt, Imię nazwisko, Osoba do kontaktu, "
            "Full name, Contact, Contact person, Contact name, Person, Name"
        ),
    ),
    ImportField(
        "person_turned",
        _("Last and first name"),
        max_length=200,
        aliases=_names("Nazwisko i imię, Nazwisko imię"),
    ),
    ImportField("first_name", _("First name"), max_length=100, aliases=_names("Imię, Given name, Forename")),
    ImportField(
        "last_name", _("Last name"), max_length=100, aliases=_names("Nazwisko, Surname, Family name")
    ),
    ImportField(
        "position",
        _("Position"),
        max_length=120,
        aliases=_names("Stanowisko, Funkcja, Rola, Job title, Title, Role"),
    ),
    ImportField(
        "phone",
        _("Phone"),
        kind="phone",
        aliases=_names(
            "Telefon, Tel., Nr telefonu, Numer telefonu, Nr tel., Telefon kom., Tel. kom., Komórka, Kom., "
            "Telefon komórkowy, Telefon kontaktowy, Mobile, Mobile phone, Cell, Telephone, Phone number"
        ),
    ),
    ImportField(
        "phone_2",
        _("Second phone"),
        kind="phone",
        aliases=_names(
            "Telefon 2, Tel. 2, Drugi telefon, Telefon stacjonarny, Tel. stac., Telefon dodatkowy, "
            "Phone 2, Other phone, Office phone, Landline"
        ),
    ),
    ImportField(
        "email",
        _("E-mail"),
        kind="email",
        aliases=_names(
            "Email, Mail, Adres e-mail, Adres email, Poczta, Poczta elektroniczna, "
            "E-mail address, Email address"
        ),
    ),
    ImportField(
        "tax_number",
        _("Tax number"),
        kind="tax_number",
        aliases=_names("NIP, Numer NIP, Nr NIP, VAT, VAT ID, VAT number, Tax ID, EU VAT"),
    ),
    ImportField(
        "website",
        _("Website"),
        kind="url",
        max_length=200,
        aliases=_names("WWW, Strona, Strona www, Strona internetowa, Adres www, URL, Web, Homepage"),
    ),
    ImportField("city", _("City"), max_length=120, aliases=_names("Miasto, Miejscowość, Town, Location")),
    ImportField(
        "source",
        _("Source"),
        max_length=120,
        aliases=_names("Źródło, Źródło leada, Pochodzenie, Skąd, Lead source, Origin"),
    ),
    ImportField(
        "owner",
        _("Owner"),
        kind="user",
        aliases=_names("Opiekun, Handlowiec, Właściciel, Odpowiedzialny, Sprzedawca, Assigned to, Sales rep"),
    ),
    ImportField(
        "note",
        _("Note"),
        kind="long_text",
        joins=True,
        aliases=_names("Uwagi, Notatka, Notatki, Opis, Komentarz, Informacje, Notes, Comment, Description"),
    ),
)

_EXAMPLE = {
    "company": "Przykładowa Firma Sp. z o.o.",
    "person": "Anna Przykład",
    "position": "dyrektor",
    "phone": "22 123 45 67",
    "phone_2": "601 234 567",
    "email": "anna@przyklad.example",
    "tax_number": "526-025-02-74",
    "website": "www.przyklad.example",
    "city": "Warszawa",
    "note": "Spotkana na targach",
}
EXAMPLE = (tuple(_EXAMPLE.get(target.key, "") for target in FIELDS),)

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
    locked = user.access.locked_fields(LEAD_KIND)
    offered = [
        *FIELDS,
        *(_attribute_field(attribute) for attribute in lead_attributes() if attribute.kind in _KINDS),
    ]
    return [one for one in offered if not locked & {one.key, *_WRITES.get(one.key, ())}]


def _attribute_field(attribute: Attribute) -> ImportField:
    return ImportField(
        attribute.field_name,
        str(attribute),
        kind=_KINDS[attribute.kind],
        aliases=(attribute.name, attribute.name_pl),
        required=attribute.required and attribute.kind != AttributeKind.BOOL and not attribute.shown_if_key,
        choices=tuple((value, (value, label, label_pl)) for value, label, label_pl in attribute.choices),
    )
