"""What counterparties and contacts tell the machinery of imports."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from counterparties.finding import find_contacts_by_text, find_counterparties_by_text
from counterparties.imports import columns, consenting, keys, linking, requisites
from counterparties.imports.batches import ContactBatch, CounterpartyBatch
from counterparties.models import CONTACT_KIND
from crm.history.kinds import EventKind, register_event
from crm.listing.imports.lookups import register_finder
from crm.listing.imports.registry import Importer, Values, register_importer

COUNTERPARTY_KIND = columns.COUNTERPARTY_KIND
KEY_LABELS = {
    "tax_number": _("Tax number"), "phone": _("Phone"), "email": _("E-mail"), "name": _("Name"),
}  # fmt: skip


def register_imports() -> None:
    """Called when the area is ready."""
    register_event(
        EventKind("counterparty_imported", _("imported the counterparty from %(file)s"), "upload"),
        EventKind(
            "counterparty_import_updated", _("changed the counterparty by importing %(file)s"), "upload"
        ),
        EventKind("contact_imported", _("imported the contact from %(file)s"), "upload"),
        EventKind("contact_import_updated", _("changed the contact by importing %(file)s"), "upload"),
    )
    register_finder(COUNTERPARTY_KIND, find_counterparties_by_text)
    register_finder(CONTACT_KIND, find_contacts_by_text)
    register_importer(
        Importer(
            kind=COUNTERPARTY_KIND,
            label=_("Counterparties"),
            fields=columns.counterparty_columns,
            keys=keys.counterparty_keys,
            existing=keys.existing_counterparties,
            write=lambda creates, updates, run, by: CounterpartyBatch(run, by).write(creates, updates),
            list_url=lambda run: reverse("counterparties:counterparty_list"),
            messages=requisites.MESSAGES,
            key_labels=KEY_LABELS,
            example=columns.COUNTERPARTY_EXAMPLE,
            joins_twins=True,
        )
    )
    register_importer(
        Importer(
            kind=CONTACT_KIND,
            label=_("Contacts"),
            fields=columns.contact_columns,
            keys=keys.contact_keys,
            existing=keys.existing_contacts,
            write=lambda creates, updates, run, by: ContactBatch(run, by).write(creates, updates),
            faults=_faults,
            list_url=lambda run: reverse("counterparties:contact_list"),
            messages={
                "unnamed": _("The person has no name."),
                "consent_ahead": _("This day has not come yet."),
            },
            key_labels={key: label for key, label in KEY_LABELS.items() if key != "tax_number"},
            example=columns.CONTACT_EXAMPLE,
            take_back={linking.COMPANION: linking.take_back, consenting.COMPANION: consenting.take_back},
        )
    )


def _faults(values: Values) -> list[tuple[str, str]]:
    named = [] if any(keys.person_of(values)) else [("unnamed", "person")]
    return named + consenting.faults_of(values)
