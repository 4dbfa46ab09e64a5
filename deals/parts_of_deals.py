"""Which rows hang on a deal, and putting them back with its fields when a change is undone."""

from __future__ import annotations

from deals.competitors import COMPETITORS
from deals.lines import LINES
from deals.models import Deal
from deals.parts import restore_rows
from deals.payments import PAYMENTS
from deals.services import edit_deal

PARTS = {part.key: part for part in (LINES, PAYMENTS, COMPETITORS)}
MONEY_PARTS = (LINES.key, PAYMENTS.key)


def put_back(
    record: Deal, values: dict, *, attributes: dict | None = None, version: int, by, via: str = ""
) -> list[str]:
    """`edit_deal` whose `values` may hold rows as history kept them. Raises what either raises."""
    plain = {name: value for name, value in values.items() if name not in PARTS}
    rows = [name for name in values if name in PARTS]
    for name in rows:
        amount = {"amount": plain.pop("amount")} if "amount" in plain else {}
        restore_rows(part=PARTS[name], deal=record, rows=values[name], values=amount, by=by, via=via)
        version = record.version
    if not plain and not attributes:
        return rows
    return [
        *rows,
        *edit_deal(deal=record, values=plain, attributes=attributes, version=version, by=by, via=via),
    ]
