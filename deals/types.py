"""Changing types of deals: which funnel a new deal of the type goes along. On the administration's record."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from crm.attributes.models import AttributeSet
from crm.history.definitions import free_key, record_change
from deals.models import DealType
from funnel.requiring import demand_funnels

FIELDS = ("name", "name_pl", "funnel", "is_default", "is_active")


@transaction.atomic
def save_type(*, deal_type: DealType | None = None, values: dict, by) -> DealType:
    """Adds a type with attributes of its own, or changes one; deals that exist stay in their funnel.

    Raises PermissionDenied, ValidationError.
    """
    demand_funnels(by)
    if not values["funnel"].stages.filter(is_active=True).exists():
        raise ValidationError(_("The funnel “%(funnel)s” has no stages yet.") % {"funnel": values["funnel"]})
    is_new = deal_type is None
    before = {} if is_new else {name: getattr(deal_type, name) for name in FIELDS}
    if is_new:
        schema = AttributeSet.objects.create(
            name=values["name"], name_pl=values["name_pl"], kind="deals.deal"
        )
        position = DealType.objects.count() + 1
        deal_type = DealType(
            key=free_key(values["name"], DealType.objects.all()), attribute_set=schema, position=position
        )
    if values["is_default"]:
        DealType.objects.filter(is_default=True).exclude(pk=deal_type.pk).update(is_default=False)
    for name in FIELDS:
        setattr(deal_type, name, values[name])
    deal_type.full_clean()
    deal_type.save()
    said = [
        f"{name}: {before.get(name, '–')} → {values[name]}"
        for name in FIELDS
        if is_new or before[name] != values[name]
    ]
    if said:
        record_change(deal_type, "; ".join(said), by)
    return deal_type
