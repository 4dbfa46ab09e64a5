"""One field of many deals at once: the same rights, history, ledger and signals as `edit_deal`, in a few statements."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from counterparties.models import Contact, Counterparty
from crm.history.editing import english, json_value, shown
from crm.history.models import Event, EventLink
from crm.history.services import FieldChange, record_events
from crm.notify.models import LiveRow
from crm.people.access import kind_label
from deals.ledger import write_worth_of_many
from deals.models import Deal, DealContact, DealLine
from deals.signals import deal_changed

FIELDS = ("amount", "close_date", "owner")
DEAL = "deals.deal"


@transaction.atomic
def edit_deals(*, pks: list[int], field: str, value, by, via: str = "") -> dict[int, Event]:
    """Writes `value` into `field` of those of the deals that `by` may edit (hand over, for the owner).

    Returns the event of each deal that differed. Raises ValidationError for an unfit value.
    """
    if field not in FIELDS:
        raise ValueError(f"not editable for many: {field}")
    column = Deal._meta.get_field(field)
    if field == "owner" and (value is None or not value.is_active):
        raise ValidationError(_("Choose one of the offered values."))
    if field != "owner":
        value = column.clean(value, None)
    found = Deal.objects.visible_to(by, "edit").filter(pk__in=pks).select_related("owner")
    if field == "owner":
        found = found.filter(pk__in=Deal.objects.visible_to(by, "assign").filter(pk__in=pks).values("pk"))
    if field == "amount":
        # Their lines decide.
        found = found.exclude(pk__in=DealLine.objects.filter(deal__in=pks).values("deal"))
    found = [deal for deal in found.select_for_update(of=("self",)) if getattr(deal, field) != value]
    if not found:
        return {}
    changes = {deal.pk: [_change(column, deal, value)] for deal in found}
    _write(found, field, value)
    events = _record(found, changes, by, via)
    write_worth_of_many(deals=found, field=field, by=by, via=via)
    for deal in found:
        deal_changed.send(Deal, deal=deal, by=by, fields=[field])
    LiveRow.objects.bulk_create(LiveRow(kind=DEAL, record_kind=DEAL, record_id=deal.pk) for deal in found)
    return events


def _change(column, deal: Deal, value) -> FieldChange:
    old = getattr(deal, column.name)
    return FieldChange(
        column.name, english(column.verbose_name), json_value(old), json_value(value), shown(column, old),
        shown(column, value),
    )  # fmt: skip


def _write(found: list[Deal], field: str, value) -> None:
    rows = Deal.objects.filter(pk__in=[deal.pk for deal in found])
    if field == "close_date" and value is not None:
        rows.filter(close_date__lt=value).update(close_date_slips=F("close_date_slips") + 1)
    fields = {field: value, **({"department": value.department_id} if field == "owner" else {})}
    rows.update(**fields, version=F("version") + 1, updated_at=timezone.now())
    for deal in found:
        setattr(deal, field, value)
        if field == "owner":
            deal.department_id = value.department_id
        deal.version += 1


def _record(found: list[Deal], changes: dict, by, via: str) -> dict[int, Event]:
    """One event a deal, on its own card, its counterparty's and its contacts'."""
    events = record_events(kind="deal_changed", subjects=found, by=by, via=via, changes=changes)
    cards = [(deal.pk, kind_label(Counterparty), deal.counterparty_id) for deal in found]
    people = DealContact.objects.filter(deal__in=found).values_list("deal_id", "contact_id")
    cards += [(pk, kind_label(Contact), contact) for pk, contact in people]
    EventLink.objects.bulk_create(
        [
            EventLink(event=events[pk], kind=kind, record_id=card, at=events[pk].at)
            for pk, kind, card in cards
        ],
        batch_size=500,
    )
    return events
