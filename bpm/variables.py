"""The variables of a run in an operator's hands: what they are, and changing one."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from bpm import runner
from bpm.control import demand_reason, locked_for, may_operate
from bpm.definitions import demand_publish, may_publish
from bpm.effects import Gathered
from bpm.engine.values import Value, ValueKindError, decode, encode
from bpm.models import ProcessInstance

MAX_VARIABLES = 200
ABSENT = ""
"""What stands for the former value of a variable that is not there yet."""


class Variable(NamedTuple):
    """One line: `own` when the run keeps it, not the card."""

    name: str
    text: str
    own: bool


def may_change(user, instance: ProcessInstance, record=None) -> bool:
    """Only who keeps the processes sees their variables; changing one is an operator's deed."""
    return instance.is_open and may_publish(user) and may_operate(user, instance, record)


def shown_variables(instance: ProcessInstance) -> list[Variable]:
    """The variables for administrators, each on one line; the card's fields are read afresh at every step."""
    found, card = [], card_name(instance)
    for name, value in sorted(decode(instance.variables).items()):
        if name == card and isinstance(value, dict):
            found += [Variable(f"{name}.{key}", shown(each), False) for key, each in sorted(value.items())]
        else:
            found.append(Variable(name, shown(value), name != card))
    return found


def card_name(instance: ProcessInstance) -> str:
    """The name under which a process reads its card."""
    return instance.record_kind.rpartition(".")[2]


def shown(value: Value) -> str:
    """A value on one line, in the reader's language."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | Decimal):
        return number_format(value)
    return written(value) if isinstance(value, list | dict) else str(value)


def written(value: Value) -> str:
    """A value as JSON text, by which two are compared."""
    return json.dumps(encode(value), ensure_ascii=False, sort_keys=True)


def read_written(text: str) -> Value:
    """The value of a JSON text. Raises ValueKindError."""
    try:
        value = decode(json.loads(text, parse_constant=_refuse, parse_float=Decimal))
        return decode(encode(value))
    except (ValueError, ArithmeticError, RecursionError, TypeError) as error:
        raise ValueKindError("not a value") from error


def _refuse(text: str) -> None:
    raise ValueError(text)


def present(instance: ProcessInstance, name: str) -> str:
    """The present value as JSON text, ABSENT when there is none."""
    return written(decode(instance.variables[name])) if name in instance.variables else ABSENT


@transaction.atomic
def set_variable(
    *, instance: ProcessInstance, name: str, value: Value, was: str, reason: str, by
) -> ProcessInstance:
    """Gives a variable of the run another value; `was`: what it was when the operator looked.

    Raises PermissionDenied, ValidationError when somebody or something has changed it meanwhile.
    """
    demand_publish(by)
    locked = locked_for(instance, by)
    reason = demand_reason(reason, _("Say why the variable is changed."))
    _demand_open(locked, name, was)
    step = Gathered(locked, locked.record(), runner.read_state(locked, None), by, timezone.now())
    old = locked.variables.get(name)
    step.state.variables[name] = value
    step.note("variable_set", name=name, old=old, new=encode(value), reason=reason)
    step.write_log()
    runner.save_step(locked, step)
    runner.record_on_card(locked, step.record, "process_variable_set", by=by, variable=name, note=reason)
    return locked


def _demand_open(instance: ProcessInstance, name: str, was: str) -> None:
    if not instance.is_open:
        raise ValidationError(_("The run has ended already."))
    if name == card_name(instance):
        raise ValidationError({"name": _("These are the fields of the card: change them there.")})
    now = present(instance, name)
    if now != was:
        text = _("“%(name)s” has changed meanwhile; it is now: %(value)s")
        value = shown(decode(instance.variables[name])) if now else _("not there")
        raise ValidationError(text % {"name": name, "value": value[:200]})
    if now == ABSENT and len(instance.variables) >= MAX_VARIABLES:
        raise ValidationError({"name": _("A run may have %(count)s variables.") % {"count": MAX_VARIABLES}})
