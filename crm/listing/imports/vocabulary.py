"""The columns people keep in spreadsheets, by the names they give them in Polish and English; kinds share them."""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind
from crm.listing.imports.registry import ImportField

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


def names(text: str) -> tuple[str, ...]:
    """Aliases written in one line, parted by commas."""
    return tuple(text.split(", "))


_FIELDS = (
    ImportField(
        "company",
        _("Company"),
        max_length=200,
        aliases=names(
            "Nazwa firmy, Firma, Nazwa, Klient, Nazwa klienta, Kontrahent, Organizacja, Przedsiębiorstwo, "
            "Company name, Account, Account name, Organization, Business name"
        ),
    ),
    ImportField(
        "person",
        _("First and last name"),
        max_length=200,
        aliases=names(
            "Imię i nazwisko, Osoba kontaktowa, Osoba, Kontakt, Imię nazwisko, Osoba do kontaktu, "
            "Full name, Contact, Contact person, Contact name, Person, Name"
        ),
    ),
    ImportField(
        "person_turned",
        _("Last and first name"),
        max_length=200,
        aliases=names("Nazwisko i imię, Nazwisko imię"),
    ),
    ImportField("first_name", _("First name"), max_length=100, aliases=names("Imię, Given name, Forename")),
    ImportField(
        "last_name", _("Last name"), max_length=100, aliases=names("Nazwisko, Surname, Family name")
    ),
    ImportField(
        "position",
        _("Position"),
        max_length=120,
        aliases=names("Stanowisko, Funkcja, Rola, Job title, Title, Role"),
    ),
    ImportField(
        "phone",
        _("Phone"),
        kind="phone",
        joins=True,
        aliases=names(
            "Telefon, Tel., Nr telefonu, Numer telefonu, Nr tel., Telefon kom., Tel. kom., Komórka, Kom., "
            "Telefon komórkowy, Telefon kontaktowy, Mobile, Mobile phone, Cell, Telephone, Phone number"
        ),
    ),
    ImportField(
        "phone_2",
        _("Second phone"),
        kind="phone",
        aliases=names(
            "Telefon 2, Tel. 2, Drugi telefon, Telefon stacjonarny, Tel. stac., Telefon dodatkowy, "
            "Phone 2, Other phone, Office phone, Landline"
        ),
    ),
    ImportField(
        "email",
        _("E-mail"),
        kind="email",
        joins=True,
        aliases=names(
            "Email, Mail, Adres e-mail, Adres email, Poczta, Poczta elektroniczna, "
            "E-mail address, Email address"
        ),
    ),
    ImportField(
        "tax_number",
        _("Tax number"),
        kind="tax_number",
        aliases=names("NIP, Numer NIP, Nr NIP, VAT, VAT ID, VAT number, Tax ID, EU VAT"),
    ),
    ImportField("country", _("Country"), kind="country", aliases=names("Kraj, Państwo, Country code")),
    ImportField(
        "website",
        _("Website"),
        kind="url",
        max_length=200,
        aliases=names("WWW, Strona, Strona www, Strona internetowa, Adres www, URL, Web, Homepage"),
    ),
    ImportField("city", _("City"), max_length=120, aliases=names("Miasto, Miejscowość, Town, Location")),
    ImportField(
        "address",
        _("Address"),
        max_length=250,
        joins=True,
        glue=", ",
        aliases=names(
            "Adres, Ulica, Ulica i numer, Kod pocztowy, Adres siedziby, Street, Street address, Postal code, "
            "Postcode, Zip"
        ),
    ),
    ImportField(
        "source",
        _("Source"),
        max_length=120,
        aliases=names("Źródło, Źródło leada, Pochodzenie, Skąd, Lead source, Origin"),
    ),
    ImportField(
        "owner",
        _("Owner"),
        kind="user",
        aliases=names("Opiekun, Handlowiec, Właściciel, Odpowiedzialny, Sprzedawca, Assigned to, Sales rep"),
    ),
    ImportField(
        "note",
        _("Note"),
        kind="long_text",
        joins=True,
        aliases=names("Uwagi, Notatka, Notatki, Opis, Komentarz, Informacje, Notes, Comment, Description"),
    ),
)  # fmt: skip
_BY_KEY = {target.key: target for target in _FIELDS}


def column(key: str, /, **changes) -> ImportField:
    """The column people call so; `changes` are what a kind says otherwise (`new_key` renames it)."""
    if "new_key" in changes:
        changes["key"] = changes.pop("new_key")
    return replace(_BY_KEY[key], **changes)


def attribute_columns(attributes: list[Attribute]) -> list[ImportField]:
    """The columns of an administrator's attributes, called by their names."""
    return [_attribute_column(attribute) for attribute in attributes if attribute.kind in _KINDS]


def _attribute_column(attribute: Attribute) -> ImportField:
    return ImportField(
        attribute.field_name,
        str(attribute),
        kind=_KINDS[attribute.kind],
        aliases=(attribute.name, attribute.name_pl),
        required=attribute.required and attribute.kind != AttributeKind.BOOL and not attribute.shown_if_key,
        choices=tuple((value, (value, label, label_pl)) for value, label, label_pl in attribute.choices),
    )


def writable(targets: list[ImportField], user, kind: str, writes: dict[str, tuple[str, ...]] | None = None):
    """Without the columns that write a field which is hidden from the user or read-only for him.

    `writes`: the fields behind a column that is not called like its field.
    """
    locked = user.access.locked_fields(kind)
    behind = writes or {}
    return [one for one in targets if not locked & {one.key, *behind.get(one.key, ())}]
