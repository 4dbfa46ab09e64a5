"""Columns that say by which channels a contact agreed to be reached, or asked not to be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from counterparties.consents import record_consents
from counterparties.models import Consent, Contact
from crm.listing.imports.headers import HEADERS
from crm.listing.imports.registry import ImportField, Values
from crm.listing.models import Import

COMPANION = "counterparties.consent"
Channel, State = Consent.Channel, Consent.State
_CONSENTS = {
    "consent_email": (gettext_lazy("Agreed: e-mail"), Channel.EMAIL),
    "consent_phone": (gettext_lazy("Agreed: telephone"), Channel.PHONE),
    "consent_sms": (gettext_lazy("Agreed: text message"), Channel.SMS),
    "consent_post": (gettext_lazy("Agreed: post"), Channel.POST),
}
_REFUSALS = {
    "opt_out_email": (gettext_lazy("Asked for no e-mails"), Channel.EMAIL),
    "opt_out_phone": (gettext_lazy("Asked for no calls"), Channel.PHONE),
}
DATE = "consent_date"


def consent_columns() -> list[ImportField]:
    found = [
        ImportField(key, label, kind="yes_no", aliases=HEADERS[key])
        for key, (label, _channel) in {**_CONSENTS, **_REFUSALS}.items()
    ]
    return [*found, ImportField(DATE, gettext_lazy("Agreed on"), kind="date", aliases=HEADERS[DATE])]


def consents_of(values: Values) -> dict[str, str]:
    """{channel: state} of a row; asking not to be reached outweighs an agreement. Empty cells say nothing."""
    found: dict[str, str] = {}
    for key, (_label, channel) in _CONSENTS.items():
        if key in values:
            found[channel] = State.GIVEN if values[key] else State.REFUSED
    for key, (_label, channel) in _REFUSALS.items():
        if values.get(key):
            found[channel] = State.REFUSED
    return found


def faults_of(values: Values) -> list[tuple[str, str]]:
    """A day that has not come cannot be the day of an agreement."""
    is_ahead = values.get(DATE, "") > timezone.localdate().isoformat()
    return [("consent_ahead", DATE)] if is_ahead else []


def write_consents(
    pairs: Iterable[tuple[Contact, Values]], *, run: Import, by, payload: dict
) -> list[Consent]:
    """What the rows say and what does not hold already."""
    said = [
        (contact, channel, state, date.fromisoformat(values[DATE]) if values.get(DATE) else None)
        for contact, values in pairs
        for channel, state in consents_of(values).items()
    ]
    source = _("import of %(file)s") % {"file": run.file.name}
    return record_consents(said=said, source=source, by=by, payload=payload)


def take_back(ids: list[int], *, by) -> None:
    """Consents of contacts that were there before the file go; those of its own contacts lie in the bin with them."""
    mine = Contact.objects.visible_to(by, "edit").values("pk")
    Consent.objects.filter(pk__in=ids, contact__in=mine).delete()
