"""Whom we deal with: counterparties and contacts, and everything that describes them."""

from counterparties.models.categories import Category, CategoryGroup, CategoryMember
from counterparties.models.dictionaries import CounterpartyType, Industry, Region
from counterparties.models.handovers import HandOver
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
    write_points,
)

__all__ = [
    "CONTACT_KIND",
    "Category",
    "CategoryGroup",
    "CategoryMember",
    "Consent",
    "Contact",
    "ContactLink",
    "ContactPoint",
    "ContactShare",
    "Counterparty",
    "CounterpartyShare",
    "CounterpartyType",
    "HandOver",
    "Industry",
    "Matchable",
    "Reachable",
    "Region",
    "home_country",
    "write_points",
]
