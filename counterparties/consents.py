"""Whether a contact may be reached through a channel, and recording what he said about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from counterparties.models import Consent, Contact
from counterparties.signals import consent_recorded
from crm.history.editing import english
from crm.history.services import record_event
from crm.people.visibility import demand


def latest_consents(contact: Contact) -> dict[str, Consent]:
    """{channel: what holds now} of one contact. One query."""
    newest = Consent.objects.filter(contact=contact).order_by().values("channel").annotate(last=Max("pk"))
    found = Consent.objects.filter(pk__in=newest.values("last")).select_related("recorded_by")
    return {consent.channel: consent for consent in found}


def refused_contacts(channel: str, pks: Iterable[int]) -> set[int]:
    """Those of the contacts who do not wish to be reached through the channel. One query, for mailings."""
    newest = (
        Consent.objects.filter(channel=channel, contact__in=list(pks))
        .order_by()
        .values("contact")
        .annotate(last=Max("pk"))
    )
    refused = Consent.objects.filter(pk__in=newest.values("last"), state=Consent.State.REFUSED)
    return set(refused.values_list("contact_id", flat=True))


def may_reach(contact: Contact, channel: str, *, needs_consent: bool = False) -> bool:
    """Whether the contact may be reached through a `Consent.Channel`.

    Without a word from him he may, unless `needs_consent` (marketing): then only after he agreed.
    """
    said = Consent.objects.filter(contact=contact, channel=channel).order_by("-pk").first()
    if said is None:
        return not needs_consent
    return said.state == Consent.State.GIVEN


@transaction.atomic
def record_consent(
    *,
    contact: Contact,
    channel: str,
    state: str,
    source: str,
    given_on: date | None = None,
    by,
    via: str = "",
) -> Consent:
    """Writes down what the contact said about a channel. Raises PermissionDenied, ValidationError."""
    demand(by, "edit", contact)
    source = " ".join(source.split())[:200]
    given_on = given_on or timezone.localdate()
    if not source:
        raise ValidationError({"source": _("Say where and how it was said.")})
    if given_on > timezone.localdate():
        raise ValidationError({"given_on": _("This day has not come yet.")})
    consent = Consent(
        contact=contact, channel=channel, state=state, source=source, given_on=given_on, recorded_by=by
    )
    consent.clean_fields(exclude=["contact", "recorded_by"])
    consent.save()
    label = Consent.Channel(channel).label
    record_event(
        kind=f"consent_{state}",
        subject=contact,
        by=by,
        payload={"channel": {"name": english(label), "name_pl": _polish(label)}, "note": source},
        via=via,
    )
    consent_recorded.send(Consent, consent=consent, by=by)
    return consent


def _polish(label) -> str:
    with override("pl"):
        return str(label)
