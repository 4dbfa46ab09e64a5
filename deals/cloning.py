"""Another deal like this one: with its client, people, attributes and lines, at the start of its funnel."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.models import Contact
from crm.attributes.models import AttributeKind
from crm.attributes.services import attributes_of
from crm.history.services import record_event
from crm.people.fields import ATTRIBUTE
from crm.people.visibility import demand, sees
from deals.lines import LINES
from deals.models import Deal, DealContact
from deals.parts import add_rows
from deals.services import create_deal

LINE_COLUMNS = ("product", "name", "unit", "quantity", "unit_price", "discount", "tax_rate")


@transaction.atomic
def clone_deal(*, deal: Deal, name: str, by) -> Deal:
    """A new deal of `by` at the first stage. Payments, files, activities, dates and history stay with the old one.

    What `by` may not see or write is not copied, nor are files among the attributes. Raises PermissionDenied,
    ValidationError (a required or unique attribute).
    """
    demand(by, "view", deal)
    locked = by.access.locked_fields(Deal)
    made = create_deal(
        name=name, counterparty=deal.counterparty, deal_type=deal.deal_type, by=by, currency=deal.currency_id,
        amount=None if "amount" in locked else deal.amount, attributes=_attributes(deal, locked),
    )  # fmt: skip
    _copy_people(deal, made, by)
    if not {LINES.key, "amount"} & locked and (lines := LINES.rows(deal)):
        rows = [{column: getattr(line, column) for column in LINE_COLUMNS} for line in lines]
        add_rows(part=LINES, deal=made, rows=rows, by=by)
    record_event(
        kind="deal_cloned", subject=made, by=by, cards=[deal], payload={"deal": deal.number or str(deal)}
    )
    made.refresh_from_db()
    return made


def _attributes(deal: Deal, locked: frozenset[str]) -> dict:
    copied = {
        item.key
        for item in attributes_of(deal.get_attribute_set_id())
        if not item.unique and item.kind != AttributeKind.FILE and f"{ATTRIBUTE}{item.key}" not in locked
    }
    return {key: value for key, value in deal.attributes.items() if key in copied}


def _copy_people(deal: Deal, made: Deal, by) -> None:
    seen = DealContact.objects.filter(sees(by, Contact, "contact_id"), deal=deal)
    DealContact.objects.bulk_create(
        DealContact(deal=made, contact_id=row.contact_id, role=row.role) for row in seen
    )


def offered_name(deal: Deal) -> str:
    """What the copy is called unless somebody says otherwise."""
    return _("%(deal)s (copy)") % {"deal": deal.name}
