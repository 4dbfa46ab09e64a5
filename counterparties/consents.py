"""Whether a contact may be reached through a channel, and recording what he said about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from counterparties.models import CONTACT_KIND, Consent, Contact, ContactPoint
from counterparties.signals import consent_recorded
from crm.history.editing import english
from crm.history.services import record_event, record_events
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


def address_refuses(channel: str, address: str) -> bool:
    """Whether a contact with this phone or e-mail, his first or a further one, does not wish to be reached by it."""
    single = {"email": "email", "phone": "phone", "sms": "phone"}.get(channel)
    if single is None or not address:
        return False
    further = ContactPoint.objects.filter(channel=single, value=address.lower(), record_kind=CONTACT_KIND)
    known = Q(**{single: address.lower()}) | Q(pk__in=further.values("record_id"))
    return bool(refused_contacts(channel, Contact.objects.filter(known).values_list("pk", flat=True)))


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
    record_event(kind=f"consent_{state}", subject=contact, by=by, payload=_payload(channel, source), via=via)
    consent_recorded.send(Consent, consent=consent, by=by)
    return consent


def _payload(channel: str, source: str) -> dict:
    label = Consent.Channel(channel).label
    return {"channel": {"name": english(label), "name_pl": _polish(label)}, "note": source}


@transaction.atomic
def record_consents(
    *, said: list[tuple[Contact, str, str, date | None]], source: str, by, payload: dict
) -> list[Consent]:
    """Writes down (contact, channel, state, day) for many contacts at once; what holds already is not said again.

    For imports, which know that `by` may write these contacts and name themselves in `payload`.
    """
    source = " ".join(source.split())[:200]
    holding = _holding({contact.pk for contact, *_rest in said})
    fresh: dict[tuple[str, str], list[Consent]] = {}
    for contact, channel, state, day in said:
        if holding.get((contact.pk, channel)) != state:
            holding[contact.pk, channel] = state
            consent = Consent(
                contact=contact, channel=channel, state=state, source=source, recorded_by=by,
                given_on=day or timezone.localdate(),
            )  # fmt: skip
            fresh.setdefault((channel, state), []).append(consent)
    rows = Consent.objects.bulk_create([one for found in fresh.values() for one in found], batch_size=500)
    for (channel, state), found in fresh.items():
        record_events(
            kind=f"consent_{state}", subjects=[one.contact for one in found], by=by,
            payload={**_payload(channel, source), **payload},
        )  # fmt: skip
    for consent in rows:
        consent_recorded.send(Consent, consent=consent, by=by)
    return rows


def _holding(pks: set[int]) -> dict[tuple[int, str], str]:
    """{(contact, channel): state} of what was said last. One query."""
    rows = Consent.objects.filter(contact__in=pks).order_by("pk") if pks else Consent.objects.none()
    return {(pk, channel): state for pk, channel, state in rows.values_list("contact", "channel", "state")}


def _polish(label) -> str:
    with override("pl"):
        return str(label)
