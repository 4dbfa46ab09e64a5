"""The lists of counterparties and of contacts: columns, filters, and the names their rows show."""

from __future__ import annotations

from django.db.models import CharField, Prefetch, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, ContactLink, Counterparty, CounterpartyType
from crm.listing.lists import Column, Filter, RecordList, owner_filter
from crm.people.folding import sort_key
from crm.people.models import User
from crm.people.names import localised


class CounterpartyList(RecordList):
    model = Counterparty
    columns = [
        Column("name", _("Name"), "sort_key"),
        Column("type", _("Type")),
        Column("tax_number", _("Tax number")),
        Column("city", _("City")),
        Column("phone", _("Phone")),
        Column("contact", _("Primary contact")),
        Column("next", _("Next step")),
        Column("owner", _("Owner"), kind="person"),
    ]
    default_sort = "sort_key"

    @cached_property
    def choices(self) -> dict[str, list[tuple[str, str]]]:
        """Types and owners in one query."""
        text = CharField()
        people = User.objects.filter(is_active=True).values_list(
            Value("owner"), "pk", Concat("first_name", Value(" "), "last_name"), "username", Value(0)
        )
        types = CounterpartyType.objects.values_list(
            Value("type"), "pk", Cast("name", text), "name_pl", "position"
        )
        found: dict[str, list] = {"owner": [], "type": []}
        for what, pk, name, other, position in people.order_by().union(types.order_by(), all=True):
            shown = (name.strip() or other) if what == "owner" else localised(name, other)
            found[what].append((position, sort_key(shown), shown, str(pk)))
        return {what: [(pk, shown) for *_order, shown, pk in sorted(rows)] for what, rows in found.items()}

    @property
    def filters(self) -> list[Filter]:
        return [
            Filter(
                "type",
                _("Type"),
                lambda user: self.choices["type"],
                lambda value, user: Q(counterparty_type_id=int(value)),
            ),
            Filter(
                "owner",
                _("Owner"),
                lambda user: self.choices["owner"],
                lambda value, user: Q(owner_id=int(value)),
            ),
        ]

    def joined(self, rows):
        """The primary contact only where the reader may see it."""
        contacts = ContactLink.objects.filter(
            is_primary=True, contact__in=Contact.objects.visible_to(self.user)
        ).select_related("contact")
        primary = Prefetch("contact_links", contacts, to_attr="primary_links")
        return rows.select_related("owner", "counterparty_type").prefetch_related(primary)


class ContactList(RecordList):
    model = Contact
    columns = [
        Column("name", _("Name"), "sort_key"),
        Column("position", _("Position")),
        Column("counterparty", _("Counterparty")),
        Column("phone", _("Phone")),
        Column("email", _("E-mail")),
        Column("next", _("Next step")),
        Column("owner", _("Owner"), kind="person"),
        Column("created_at", _("Added"), "id", "date"),
    ]
    filters = [owner_filter(_("Owner"))]
    default_sort = "sort_key"

    def joined(self, rows):
        links = ContactLink.objects.filter(
            counterparty__in=Counterparty.objects.visible_to(self.user)
        ).select_related("counterparty")
        return rows.select_related("owner").prefetch_related(Prefetch("links", links, to_attr="seen_links"))
