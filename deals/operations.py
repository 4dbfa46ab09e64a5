"""What deals let a business process do. An operation acts with the rights of whoever published the process."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.attributes.services import attributes_of
from crm.history.editing import EditConflict
from crm.operations.registry import Context, Input, Operation, OperationFailed, register_operation
from deals.models import Deal
from deals.services import edit_deal, first_text, request_stage
from funnel.models import Stage

FIELDS = ("name", "amount", "close_date")


def register_deal_operations() -> None:
    register_operation(
        Operation(
            "deals.set_field", gettext_lazy("Set a field of the deal"), set_field,
            (
                Input("field", "field", gettext_lazy("Field")),
                Input("value", "text", gettext_lazy("Value"), required=False),
            ),
        )
    )  # fmt: skip
    register_operation(
        Operation(
            "deals.request_stage", gettext_lazy("Move the deal to a stage"), move_stage,
            (Input("stage", "text", gettext_lazy("Key of the stage")),),
        )
    )  # fmt: skip


def set_field(context: Context, field: str, value=None) -> dict:
    """Writes name, amount, close date or an attribute (by its key, with or without `attr_`)."""
    deal = _deal(context)
    values, attributes = _typed(deal, field, value)
    try:
        edit_deal(
            deal=deal,
            values=values,
            attributes=attributes,
            version=deal.version,
            by=context.by,
            via=context.via,
        )
    except ValidationError as error:
        raise OperationFailed(first_text(error)) from error
    except PermissionDenied as error:
        raise OperationFailed(_("%(user)s may not edit this deal.") % {"user": context.by}) from error
    except EditConflict as error:
        raise OperationFailed(_("Somebody is editing the same field.")) from error
    return {"field": field}


def _typed(deal: Deal, field: str, value) -> tuple[dict, dict | None]:
    if field in FIELDS:
        try:
            return {field: Deal._meta.get_field(field).to_python(value if value != "" else None)}, None
        except ValidationError as error:
            raise OperationFailed(first_text(error)) from error
    key = field.removeprefix("attr_")
    if key not in {attribute.key for attribute in attributes_of(deal.get_attribute_set_id())}:
        raise OperationFailed(
            _("The deal has no field “%(field)s” that a process may set.") % {"field": field}
        )
    return {}, {key: value}


def move_stage(context: Context, stage: str) -> dict:
    """Asks for a stage of the deal's own funnel; another gate may still hold the move."""
    deal = _deal(context)
    target = Stage.objects.filter(funnel_id=deal.funnel_id, key=stage, is_active=True).first()
    if target is None:
        raise OperationFailed(_("The deal's funnel has no stage “%(stage)s”.") % {"stage": stage})
    if target.pk == deal.stage_id:
        return {"status": "applied"}
    try:
        request = request_stage(deal=deal, stage=target, by=context.by, via=context.via)
    except ValidationError as error:
        raise OperationFailed(first_text(error)) from error
    return {"status": str(request.status)}


def _deal(context: Context) -> Deal:
    if not isinstance(context.record, Deal):
        raise OperationFailed(_("This process does not run on a deal."))
    rows = Deal.objects.visible_to(context.by).select_related("counterparty", "owner")
    deal = rows.filter(pk=context.record.pk).first()
    if deal is None:
        raise OperationFailed(_("%(user)s does not see this deal.") % {"user": context.by})
    return deal
