"""Facts about merging; each is sent inside the transaction that made it true, with `send`: an error rolls back."""

from django.dispatch import Signal

records_merged = Signal()
"""Records became one; whatever points at the merged ones by a foreign key or (kind, id) has been moved already.

Receivers refresh what they derived from the merged records. Payload: survivor, merged (list of records), merge, by.
"""

merge_undone = Signal()
"""A merge was taken back; the records stand again. Payload: survivor, merged (list of records), merge, by."""
