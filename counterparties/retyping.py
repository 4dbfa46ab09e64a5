"""Giving a counterparty another type: which values carry over, which are put away, and taking all of it back.

A value carries over to the attribute that the mapping names, in the kind of that one. What is put away leaves the card
and stays in history, from where the undo brings it back exactly as it was.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from counterparties.models import Counterparty, CounterpartyType
from counterparties.signals import counterparty_changed
from crm.attributes.conversion import convert_value
from crm.attributes.models import Attribute, AttributeValue
from crm.attributes.services import attributes_of, demand_unique, set_attributes, write_derived
from crm.attributes.values import clean_value, python_value, show_value
from crm.history.editing import demand_no_clash, field_changes
from crm.history.kinds import named
from crm.history.models import Change, Event
from crm.history.services import FieldChange, record_event
from crm.history.undoing import ATTRIBUTE, CHANGED_SINCE, GONE, NOT_ALLOWED, UNDO, Skipped, Undo
from crm.notify.services import publish
from crm.people.access import kind_label
from crm.people.folding import fold
from crm.people.visibility import demand

EVENT = "counterparty_type_changed"
TYPE = "counterparty_type"


@dataclass(frozen=True)
class Carry:
    """A value of the present type and where it could go: `offers` are (attribute, JSON value there), the best first.

    `suggested` is the attribute of the same key or name; without one the value is put away unless a person says where.
    """

    source: Attribute
    value: object
    offers: list[tuple[Attribute, object]] = field(default_factory=list)
    suggested: Attribute | None = None


def plan_retyping(*, counterparty: Counterparty, counterparty_type: CounterpartyType, by) -> list[Carry]:
    """Every value of the record, in the order of its card."""
    targets = attributes_of(counterparty_type.attribute_set_id)
    taken: set[str] = set()
    found = []
    for source in attributes_of(counterparty.get_attribute_set_id()):
        value = counterparty.attributes.get(source.key)
        if value is None:
            continue
        offers = [(target, convert_value(source, target, value, by=by)) for target in targets]
        offers = sorted(
            ((target, there) for target, there in offers if there is not None),
            key=lambda offer: (not _is_same(source, offer[0]), offer[0].kind != source.kind),
        )
        suggested = next(
            (one for one, _there in offers if _is_same(source, one) and one.key not in taken), None
        )
        taken |= {suggested.key} if suggested else set()
        found.append(Carry(source, value, offers, suggested))
    return found


def _is_same(source: Attribute, target: Attribute) -> bool:
    names = {fold(name) for name in (source.name, source.name_pl) if name}
    return source.key == target.key or bool(
        names & {fold(name) for name in (target.name, target.name_pl) if name}
    )


@transaction.atomic
def change_type(
    *,
    counterparty: Counterparty,
    counterparty_type: CounterpartyType,
    mapping: dict[str, str] | None = None,
    further: dict | None = None,
    version: int,
    by,
    via: str = "",
) -> Event:
    """Gives the record another type. `mapping`: {key now: key there}, all that is suggested when None is given.

    `further`: values of the new type's attributes that nothing is mapped on, as a form gives them. Raises
    PermissionDenied, EditConflict, ValidationError (keyed by `map_key` and `attr_key`).
    """
    demand(by, "edit", counterparty)
    record = Counterparty.objects.select_for_update().get(pk=counterparty.pk)
    if record.counterparty_type_id == counterparty_type.pk:
        raise ValidationError(_("It is of this type already."))
    if not counterparty_type.is_active:
        raise ValidationError(_("This type is not offered any more."))
    plan = plan_retyping(counterparty=record, counterparty_type=counterparty_type, by=by)
    before = copy.copy(record)
    before.attributes = dict(record.attributes)
    schema = attributes_of(counterparty_type.attribute_set_id)
    record.counterparty_type = counterparty_type
    known = {attribute.key: attribute for attribute in schema}
    carried = _carried(plan, _chosen(plan, mapping, by))
    raw = {**(further or {}), **{key: python_value(known[key], value) for key, value in carried.items()}}
    set_attributes(record, raw, by=by, known=schema)
    event = _write(before, record, version=version, by=by, via=via)
    counterparty.refresh_from_db()
    return event


def _chosen(plan: list[Carry], mapping: dict[str, str] | None, by) -> dict[str, str]:
    """The mapping; what `by` may not see goes where it is suggested, without his being asked."""
    unseen = by.access.hidden_fields(Counterparty)
    return {
        carry.source.key: carry.suggested.key if carry.suggested else ""
        for carry in plan
        if mapping is None or carry.source.field_name in unseen
    } | (mapping or {})


def _carried(plan: list[Carry], mapping: dict[str, str]) -> dict:
    """{key there: JSON value}. Raises ValidationError for a place that does not fit, or that two values want."""
    found: dict = {}
    for carry in plan:
        key = mapping.get(carry.source.key)
        if not key:
            continue
        offers = {target.key: value for target, value in carry.offers}
        if key not in offers or key in found:
            text = (
                _("Two values cannot go to the same place.")
                if key in found
                else _("The value does not fit there.")
            )
            raise ValidationError({f"map_{carry.source.key}": text})
        found[key] = offers[key]
    return found


def _write(before: Counterparty, record: Counterparty, *, version: int, by, via: str) -> Event:
    """Saves type and attributes of `record`, with one event that tells every difference from `before`."""
    changes = field_changes(before, {TYPE: record.counterparty_type}) + _attribute_changes(before, record)
    locked = by.access.locked_fields(Counterparty) & {change.field for change in changes}
    if TYPE in locked:
        raise PermissionDenied
    if locked:
        raise ValidationError(
            _("The record has values that you may not change and that the other type has no place for.")
        )
    if version != record.version:
        demand_no_clash(record, changes, version, by)
    record.version += 1
    record.save()
    label = kind_label(Counterparty)
    AttributeValue.objects.filter(record_kind=label, record_id=record.pk).delete()
    write_derived(record, attributes_of(record.get_attribute_set_id()))
    payload = {"old": named(before.counterparty_type), "new": named(record.counterparty_type)}
    event = record_event(
        kind=EVENT, subject=record, by=by, changes=changes, payload=payload, via=via, version=record.version
    )
    fields = [change.field for change in changes]
    counterparty_changed.send(Counterparty, counterparty=record, by=by, fields=fields)
    publish(kind=label, record=record)
    return event


def _attribute_changes(before: Counterparty, record: Counterparty) -> list[FieldChange]:
    schemas = [
        {one.key: one for one in attributes_of(each.get_attribute_set_id())} for each in (before, record)
    ]
    keys = dict.fromkeys([*schemas[0], *schemas[1], *sorted({*before.attributes, *record.attributes})])
    changes = []
    for key in keys:
        values = before.attributes.get(key), record.attributes.get(key)
        if values[0] == values[1]:
            continue
        known = [schema.get(key) for schema in schemas]
        texts = [
            show_value(one, value) if one is not None and value is not None else ""
            for one, value in zip(known, values, strict=True)
        ]
        label = next((one.name for one in known if one is not None), key)
        changes.append(FieldChange(f"{ATTRIBUTE}{key}", label, *values, *texts))
    return changes


# Taking it back


def plan_restoring(*, event: Event, record: Counterparty, by) -> Undo:
    """What goes back to the type before: all of the event, but for values that were changed since."""
    plan = Undo([], [], {}, {})
    changes = list(event.changes.order_by("id"))
    kind = next((change for change in changes if change.field == TYPE), None)
    old = CounterpartyType.objects.filter(pk=kind.old).first() if kind else None
    if reason := _obstacle(record, changes, kind, old, by):
        plan.skipped.extend(Skipped(change, reason) for change in changes)
        return plan
    plan.values[TYPE] = old
    plan.back.append(kind)
    known = {one.key: one for one in attributes_of(old.attribute_set_id)}
    present = copy.copy(record)
    present.attributes = {key: change.old for key, change in _by_key(changes).items()}
    for key, change in _by_key(changes).items():
        if record.attributes.get(key) != change.new:
            plan.skipped.append(Skipped(change, CHANGED_SINCE))
        elif not _still_fits(known.get(key), change.old, present, by):
            plan.skipped.append(Skipped(change, GONE))
        else:
            plan.back.append(change)
            plan.attributes[key] = change.old
    return plan


def _by_key(changes: list[Change]) -> dict[str, Change]:
    return {change.field.removeprefix(ATTRIBUTE): change for change in changes if change.field != TYPE}


def _obstacle(record: Counterparty, changes: list[Change], kind, old: CounterpartyType | None, by) -> str:
    """Why nothing at all can go back; empty when it can."""
    if old is None:
        return GONE
    if record.counterparty_type_id != kind.new:
        return CHANGED_SINCE
    locked = by.access.locked_fields(Counterparty)
    return NOT_ALLOWED if locked & {change.field for change in changes} else ""


def _still_fits(attribute: Attribute | None, value, present: Counterparty, by) -> bool:
    """Whether the attribute still takes what it held, after an administrator may have changed it."""
    if attribute is None or value is None:
        return True
    try:
        return clean_value(attribute, python_value(attribute, value), by=by, record=present) is not None
    except (ValidationError, TypeError):
        return False


def restore_type(*, event: Event, record: Counterparty, plan: Undo, by) -> None:
    """Does what `plan_restoring` says. Raises ValidationError when another record holds a unique value meanwhile."""
    before = copy.copy(record)
    before.attributes = dict(record.attributes)
    now = {one.key: one for one in attributes_of(record.get_attribute_set_id())}
    record.counterparty_type = plan.values[TYPE]
    schema = attributes_of(record.get_attribute_set_id())
    kept = _kept(before.attributes, now, schema, by)
    found = {**kept, **plan.attributes}
    record.attributes = {key: value for key, value in found.items() if value is not None}
    demand_unique(record, schema, record.attributes)
    _write(before, record, version=record.version, by=by, via=UNDO)


def _kept(values: dict, now: dict[str, Attribute], schema: list[Attribute], by) -> dict:
    """What the type before has a place for, and what neither type knows; the rest is put away."""
    known = {one.key: one for one in schema}
    found = {key: value for key, value in values.items() if key not in now}
    for key, source in now.items():
        if key in known and key in values:
            is_alike = (source.kind, source.link_kind) == (known[key].kind, known[key].link_kind)
            found[key] = values[key] if is_alike else convert_value(source, known[key], values[key], by=by)
    return found
