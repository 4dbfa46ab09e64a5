"""A deal's values as expressions of processes read them."""

from __future__ import annotations

from crm.attributes.models import Attribute
from deals.models import Deal

FACT_RELATED = ("owner", "department", "stage__key", "funnel__key", "deal_type__key", "counterparty__name")
FACT_KINDS = {
    "id": "number", "number": "text", "name": "text", "status": "text", "stage": "text", "funnel": "text",
    "deal_type": "text", "amount": "number", "currency": "text", "close_date": "date", "close_date_slips": "number",
    "counterparty": "text", "counterparty_id": "number", "owner": "text", "department": "text",
}  # fmt: skip


def deal_facts(deal: Deal) -> dict:
    """A flat dict: `amount` is a Decimal or None, dates are ISO texts, the stage and type go by their keys.

    Attributes stand under their own keys where no field has the name.
    """
    owner, department = deal.owner, deal.department
    return {
        **deal.attributes,
        "id": deal.pk,
        "number": deal.number or "",
        "name": deal.name,
        "status": str(deal.status),
        "stage": deal.stage.key,
        "funnel": deal.funnel.key,
        "deal_type": deal.deal_type.key,
        "amount": deal.amount,
        "currency": deal.currency_id,
        "close_date": deal.close_date.isoformat() if deal.close_date else None,
        "close_date_slips": deal.close_date_slips,
        "counterparty": deal.counterparty.name,
        "counterparty_id": deal.counterparty_id,
        "owner": owner.username if owner else None,
        "department": department.name if department else None,
    }


def deal_fact_kinds() -> dict[str, str]:
    """The kinds of these values; attributes of any type of deal may hold anything. One query."""
    keys = Attribute.objects.filter(attribute_set__kind="deals.deal").values_list("key", flat=True)
    return {**dict.fromkeys(keys, "any"), **FACT_KINDS}
