"""Which attributes exist for a record: an attribute may depend on the value of another one of its set."""

from __future__ import annotations

from crm.attributes.models import Attribute


def deciding_values(value) -> set[str]:
    """A stored value as conditions compare it: `yes` or `no` for a yes / no, each of several choices."""
    if isinstance(value, bool) or value is None:
        return {"yes"} if value else {"no"}
    return {str(item) for item in value} if isinstance(value, list) else {str(value)}


def applicable_keys(attributes: list[Attribute], values: dict) -> set[str]:
    """The keys of the attributes that are shown for these stored values.

    A condition on an attribute that is not in use any more, or on itself by a detour, counts as none.
    """
    known = {attribute.key: attribute for attribute in attributes}

    def applies(attribute: Attribute, below: frozenset[str]) -> bool:
        decider = known.get(attribute.shown_if_key)
        if decider is None or attribute.key in below:
            return True
        holds = bool(deciding_values(values.get(decider.key)) & set(map(str, attribute.shown_if_values)))
        return holds and applies(decider, below | {attribute.key})

    return {attribute.key for attribute in attributes if applies(attribute, frozenset())}
