"""Filters of the lists that no column answers: categories, and any of the phones or e-mails of a record."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Q

from counterparties.models import CategoryMember, ContactPoint
from crm.listing.conditions import column_q
from crm.listing.fields import Field
from crm.people.access import kind_label
from crm.people.phones import normalise_phone

_OPPOSITE = {"lacks": "has", "empty": "filled", "none": "any"}


def ask_categories(operator: str, values: tuple) -> Q:
    """Of any, all or none of the categories, however they were given."""
    members = CategoryMember.objects.all()
    if operator == "all":
        whole = Q()
        for value in values:
            whole &= Q(pk__in=members.filter(category=value).values("counterparty_id"))
        return whole
    wanted = members.filter(category__in=values) if values else members
    found = Q(pk__in=wanted.values("counterparty_id"))
    return ~found if operator in _OPPOSITE else found


def ask_points(model: type, channel: str) -> Callable[[str, tuple], Q]:
    """Any of the phones or e-mails (`channel`): the first stands in the record's column, the others are rows."""
    kind = "phone" if channel == "phone" else "text"
    first, further = Field(channel, "", kind), Field("value", "", kind)

    def ask(operator: str, values: tuple) -> Q:
        asked = _OPPOSITE.get(operator, operator)
        if channel == "phone" and values and not any(char.isdigit() for char in values[0]):
            return Q(pk__in=[]) if asked == operator else ~Q(pk__in=[])
        values = _spelled(channel, asked, values)
        rows = ContactPoint.objects.filter(
            column_q(further, asked, values), channel=channel, record_kind=kind_label(model)
        )
        records = model._base_manager.filter(column_q(first, asked, values))
        found = Q(pk__in=records.order_by().values("pk").union(rows.values("record_id")))
        return found if asked == operator else ~found

    return ask


def _spelled(channel: str, operator: str, values: tuple) -> tuple:
    """A whole number may be typed in any notation; of a fragment only the digits count."""
    if channel == "phone" and operator in {"is", "starts"}:
        return tuple(normalise_phone(value) or value for value in values)
    return values
