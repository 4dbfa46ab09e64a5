"""Facts about attributes."""

from django.dispatch import Signal

values_lost = Signal()
"""An attribute changed its kind and some values did not fit the new one; sent inside the transaction of each slice.

`attribute`: in its new kind. `lost`: [(record, old value, its text)]. `by`: the administrator.
"""
