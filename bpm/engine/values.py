"""The values a process can hold, and how they are kept as JSON.

A value is None, a bool, an int, a Decimal, a str (dates are ISO strings), a list of values or a dict
with string keys (a card's fields, or a file reference such as {"file": 7, "name": "offer.pdf"}).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Value = Any
Values = dict[str, Value]

DECIMAL_TAG = "$decimal"
MAX_DEPTH = 20


class ValueKindError(TypeError):
    """Something that is no process value."""


def encode(value: Value, depth: int = MAX_DEPTH) -> Any:
    """JSON for a value; a Decimal becomes {"$decimal": "12.50"}, dates become ISO text."""
    if depth < 0:
        raise ValueKindError("nested too deeply")
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueKindError("not a finite number")
        return {DECIMAL_TAG: str(value)}
    if isinstance(value, float):
        return encode(Decimal(repr(value)))
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [encode(each, depth - 1) for each in value]
    if isinstance(value, Mapping):
        return {str(key): encode(each, depth - 1) for key, each in value.items()}
    raise ValueKindError(f"{type(value).__name__} is not a process value")


def decode(data: Any) -> Value:
    """The value that `encode` wrote; floats of foreign JSON become Decimals."""
    if isinstance(data, float):
        return Decimal(repr(data))
    if isinstance(data, list):
        return [decode(each) for each in data]
    if isinstance(data, dict):
        if set(data) == {DECIMAL_TAG}:
            return Decimal(data[DECIMAL_TAG])
        return {key: decode(each) for key, each in data.items()}
    return data


def normal(values: Mapping[str, Value]) -> Values:
    """The values as they will read after a round trip through JSON."""
    return {str(key): decode(encode(value)) for key, value in values.items()}
