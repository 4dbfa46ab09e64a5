"""What a lead's card shows."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from counterparties.cards import email_link, phone_link, website_link
from crm.people.kinds import kind_of, visible_pairs
from leads.models import Lead


def lead_card_facts(lead: Lead) -> list[tuple[str, str]]:
    """(name, shown value) of the lead's own fields; the card leaves empty ones out."""
    person = ", ".join(part for part in (lead.person, lead.position) if part)
    return [
        (_("Person"), person),
        (_("Phone"), phone_link(lead.phone)),
        (_("E-mail"), email_link(lead.email)),
        (_("Website"), website_link(lead.website)),
        (_("Tax number"), lead.tax_number),
        (_("City"), lead.city),
        (_("Source"), str(lead.source) if lead.source else ""),
        (_("Note"), lead.note),
        (_("Added"), _moment(lead.created_at)),
        (_("First response"), _response(lead)),
        (_("Converted"), _moment(lead.converted_at)),
    ]


def origin_facts(lead: Lead) -> list[tuple[str, str]]:
    """(name, shown value) of what brought the lead to a web form; nothing for one that came another way."""
    origin = getattr(lead, "origin", None)
    if origin is None:
        return []
    return [
        (_("Web form"), str(origin.form)),
        (_("Page"), website_link(origin.page)),
        (_("Came from"), website_link(origin.referrer)),
        (_("Campaign"), origin.utm_campaign),
        (_("Channel"), " / ".join(part for part in (origin.utm_source, origin.utm_medium) if part)),
        (_("Search words"), origin.utm_term),
        (_("Advertisement"), origin.utm_content),
        (_("Consent given"), _moment(origin.consent_at)),
        (_("Consent"), origin.consent_text),
    ]


def _response(lead: Lead) -> str:
    """The moment, and how long it took in working time where that was measured."""
    if lead.response_minutes is None:
        return _moment(lead.first_response_at)
    hours, minutes = divmod(lead.response_minutes, 60)
    took = _("%(hours)s h %(minutes)s min of working time") % {"hours": hours, "minutes": minutes}
    return f"{_moment(lead.first_response_at)} · {took}"


def _moment(moment) -> str:
    return date_format(localtime(moment), "DATETIME_FORMAT") if moment else ""


@dataclass(frozen=True)
class Outcome:
    """A record the lead became or repeats."""

    icon: str
    name: str
    url: str


def became(user, lead: Lead) -> list[Outcome]:
    """What came of a conversion, or the lead it repeats, as far as the reader sees them; one query for each."""
    records = [
        record
        for record in (lead.deal, lead.counterparty, lead.contact, lead.duplicate_of)
        if record is not None
    ]
    return outcomes(user, records)


def outcomes(user, records: list) -> list[Outcome]:
    """Those of the records that the reader sees."""
    pairs = [(kind_of(record).label, record.pk) for record in records]
    visible = visible_pairs(user, pairs)
    kinds = [kind_of(record) for record in records]
    return [
        Outcome(kind.icon, str(record), kind.url(record.pk))
        for kind, record in zip(kinds, records, strict=True)
        if (kind.label, record.pk) in visible
    ]
