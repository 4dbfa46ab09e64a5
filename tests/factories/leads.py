"""Leads, made through the services."""

from leads.models import Lead, LeadSource, UnqualifiedReason
from leads.services import create_lead
from leads.standard import create_standard_dictionaries


def make_source(key: str = "fair") -> LeadSource:
    """One of the standard sources."""
    if not LeadSource.objects.filter(key=key).exists():
        create_standard_dictionaries()
    return LeadSource.objects.get(key=key)


def make_reason() -> UnqualifiedReason:
    """ "No need"."""
    if not UnqualifiedReason.objects.exists():
        create_standard_dictionaries()
    return UnqualifiedReason.objects.order_by("position").first()


def make_lead(
    by,
    *,
    company: str = "Huta Żelazna S.A.",
    first_name: str = "Ewa",
    last_name: str = "Ślusarczyk",
    **values,
) -> Lead:
    """A new lead owned by `by`."""
    return create_lead(
        values={"company": company, "first_name": first_name, "last_name": last_name, **values}, by=by
    )
