"""Whom we deal with: counterparties and contacts, and everything that describes them."""

from counterparties.models.dictionaries import CounterpartyType, Industry, Region
from counterparties.models.points import Consent, ContactPoint
from counterparties.models.records import (
    CONTACT_KIND,
    Contact,
    ContactLink,
    ContactShare,
    Counterparty,
    CounterpartyShare,
    Matchable,
    Reachable,
    home_country,
)

__all__ = [
    "CONTACT_KIND",
    "Consent",
    "Contact",
    "ContactLink",
    "ContactPoint",
    "ContactShare",
    "Counterparty",
    "CounterpartyShare",
    "CounterpartyType",
    "Industry",
    "Matchable",
    "Reachable",
    "Region",
    "home_country",
]
