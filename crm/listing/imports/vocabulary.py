"""The columns people keep in spreadsheets; kinds of record share them. What they are called stands in `headers`."""

from __future__ import annotations

import re
from dataclasses import replace

from django.utils.translation import gettext_lazy as _

from crm.attributes.models import Attribute, AttributeKind
from crm.listing.imports.headers import HEADERS, names
from crm.listing.imports.registry import ImportField
from crm.listing.tags.models import Tag
from crm.listing.tags.services import MOST_LETTERS

__all__ = ["attribute_columns", "column", "names", "writable"]
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


_FIELDS = (
    ImportField("company", _("Company"), max_length=200),
    ImportField("person", _("First and last name"), max_length=200),
    ImportField("person_turned", _("Last and first name"), max_length=200),
    ImportField("first_name", _("First name"), max_length=100),
    ImportField("last_name", _("Last name"), max_length=100),
    ImportField("position", _("Position"), max_length=120),
    ImportField("phone", _("Phone"), kind="phone", joins=True),
    ImportField("phone_2", _("Second phone"), kind="phone", joins=True),
    ImportField("phone_mobile", _("Phone: mobile"), kind="phone", joins=True),
    ImportField("phone_work", _("Phone: work"), kind="phone", joins=True),
    ImportField("phone_home", _("Phone: at home"), kind="phone", joins=True),
    ImportField("phone_fax", _("Phone: fax"), kind="phone", joins=True),
    ImportField("email", _("E-mail"), kind="email", joins=True),
    ImportField("email_2", _("Second e-mail"), kind="email", joins=True),
    ImportField("email_work", _("E-mail: work"), kind="email", joins=True),
    ImportField("email_home", _("E-mail: at home"), kind="email", joins=True),
    ImportField("email_invoices", _("E-mail: invoices"), kind="email", joins=True),
    ImportField("tax_number", _("Tax number"), kind="tax_number"),
    ImportField("country", _("Country"), kind="country"),
    ImportField("website", _("Website"), kind="url", max_length=200),
    ImportField("city", _("City"), max_length=120),
    ImportField("address", _("Street and number"), max_length=250, joins=True, glue=" "),
    ImportField("postal_code", _("Postal code"), max_length=12, looks_like=re.compile(r"\d\d-\d{3}").fullmatch),
    ImportField("source", _("Source"), max_length=120),
    ImportField("owner", _("Owner"), kind="user"),
    ImportField("note", _("Note"), kind="long_text", joins=True),
    ImportField(
        "tags", _("Tags"), kind="dictionary", dictionary=Tag, several=True, joins=True, creatable=True,
        max_length=MOST_LETTERS,
    ),
)  # fmt: skip
_BY_KEY = {target.key: replace(target, aliases=HEADERS[target.key]) for target in _FIELDS}


def column(key: str, /, *, also: tuple[str, ...] = (), **changes) -> ImportField:
    """The column people call so; `changes` are what a kind says otherwise (`new_key` renames it).

    `also`: columns of other names that go here too, for a kind that has no field for each of them.
    """
    if "new_key" in changes:
        changes["key"] = changes.pop("new_key")
    found = replace(_BY_KEY[key], **changes)
    return replace(found, aliases=(*found.aliases, *(name for one in also for name in HEADERS[one])))


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
