"""What currencies tell the areas above."""

from django.dispatch import Signal

rates_changed = Signal()
"""Rates were written or removed, inside the transaction. Payload: currency (code), since (the first day concerned).

Both are None when the company has another currency itself."""
