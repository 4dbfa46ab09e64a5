"""The lists of counterparties and of contacts: fields, filters, and the names their rows show."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Prefetch
from django.utils.translation import gettext_lazy as _

from counterparties.asking import ask_categories, ask_points
from counterparties.models import (
    Category,
    Contact,
    ContactLink,
    Counterparty,
    CounterpartyType,
    Industry,
    Region,
)
from counterparties.rows import SHAPES, SINGLES, rows_of
from counterparties.services import edit_contact, edit_counterparty
from crm.listing.fields import TAGS, Field, next_step
from crm.listing.lists import RecordList
from crm.people.visibility import sees

OWNERSHIP = (
    Field("owner", _("Owner"), "person", joins=("owner",)),
    Field("created_at", _("Added"), "moment", sort="id"),
    Field("updated_at", _("Changed"), "moment"),
)


def rows_text(name: str) -> Callable[[object], str]:
    """A getter of all rows of a kind as one text, as an import reads it back."""

    def get(record) -> str:
        rows = rows_of(record, name) if name in SINGLES.values() else getattr(record, name)
        return "; ".join(SHAPES[name].text(row) for row in rows or [])

    return get


def reach(model: type) -> tuple[Field, ...]:
    """All phones and e-mails of a record, asked for by any of them."""
    return (
        Field(
            "phones", _("All phones"), computed=True, get=rows_text("phones"), ask=ask_points(model, "phone")
        ),
        Field(
            "emails", _("All e-mails"), computed=True, get=rows_text("emails"), ask=ask_points(model, "email")
        ),
    )


def category_names(counterparty: Counterparty) -> str:
    """Those of a list's row, in their order of creation."""
    return ", ".join(str(one.category) for one in counterparty.memberships.all())


def primary_contact(counterparty: Counterparty) -> Contact | None:
    """The one of a list's row."""
    return counterparty.primary_links[0].contact if counterparty.primary_links else None


def counterparty_names(contact: Contact) -> str:
    """Those of a list's row that the reader may see."""
    return ", ".join(link.counterparty.name for link in contact.seen_links)


class CounterpartyList(RecordList):
    model = Counterparty
    url_name = "counterparties:counterparty_list"
    fields = (
        Field("name", _("Name"), sort="sort_key"),
        Field(
            "type",
            _("Type"),
            "record",
            path="counterparty_type",
            dictionary=CounterpartyType,
            joins=("counterparty_type",),
        ),
        Field("tax_number", _("Tax number")),
        Field("country", _("Country"), editable=True),
        Field("city", _("City"), editable=True),
        Field("address", _("Address"), editable=True),
        Field("postal_code", _("Postal code"), editable=True),
        Field("region", _("Region"), "record", dictionary=Region, joins=("region",), editable=True),
        Field("industry", _("Industry"), "record", dictionary=Industry, joins=("industry",), editable=True),
        Field("employee_count", _("Employees"), "number", editable=True),
        Field("registry_number", _("KRS")),
        Field("statistical_number", _("REGON")),
        Field("phone", _("Phone"), "phone"),
        Field("email", _("E-mail")),
        *reach(Counterparty),
        Field("accounts", _("Bank accounts"), computed=True, get=rows_text("accounts")),
        Field("addresses", _("Further addresses"), computed=True, get=rows_text("addresses")),
        Field("website", _("Website")),
        Field("note", _("Note"), editable=True),
        Field(
            "categories",
            _("Categories"),
            "records",
            dictionary=Category,
            offered={"is_active": True},
            group="group__name",
            computed=True,
            get=category_names,
            ask=ask_categories,
        ),
        Field("contact", _("Primary contact"), computed=True, get=primary_contact),
        next_step("counterparties.counterparty"),
        TAGS,
        *OWNERSHIP,
    )
    default_columns = ("name", "type", "tax_number", "city", "phone", "contact", "next", "owner")
    quick = ("type", "owner")
    default_sort = "sort_key"

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_counterparty(counterparty=record, **changes)

    def joined(self, rows):
        """The primary contact only where the reader may see it."""
        contacts = ContactLink.objects.filter(
            sees(self.user, Contact, "contact_id"), is_primary=True
        ).select_related("contact")
        rows = rows.prefetch_related(Prefetch("contact_links", contacts, to_attr="primary_links"))
        if any(one.key == "categories" for one in self.columns):
            rows = rows.prefetch_related("memberships__category")
        return rows


class ContactList(RecordList):
    model = Contact
    url_name = "counterparties:contact_list"
    fields = (
        Field("name", _("Name"), sort="sort_key", get=str, computed=True),
        Field("first_name", _("First name")),
        Field("last_name", _("Last name")),
        Field("position", _("Position"), editable=True),
        Field("counterparty", _("Counterparty"), computed=True, get=counterparty_names),
        Field("phone", _("Phone"), "phone"),
        Field("email", _("E-mail")),
        *reach(Contact),
        Field("messengers", _("Messengers"), computed=True, get=rows_text("messengers")),
        Field("note", _("Note"), editable=True),
        next_step("counterparties.contact"),
        TAGS,
        *OWNERSHIP,
    )
    default_columns = ("name", "position", "counterparty", "phone", "email", "next", "owner", "created_at")
    quick = ("owner",)
    default_sort = "sort_key"

    @staticmethod
    def edit(record, **changes) -> list[str]:
        return edit_contact(contact=record, **changes)

    def joined(self, rows):
        links = ContactLink.objects.filter(sees(self.user, Counterparty, "counterparty_id")).select_related(
            "counterparty"
        )
        return rows.prefetch_related(Prefetch("links", links, to_attr="seen_links"))
