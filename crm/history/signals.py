"""What history tells the areas. Every signal is sent inside the transaction, with `send`: an error rolls back."""

from django.dispatch import Signal

records_deleted = Signal()
"""Records of one kind, the sender, went into the recycle bin. Payload: records (list, as they are now), by."""

record_restored = Signal()
"""A record came back from the bin. Payload: record, by. A receiver may refuse with ValidationError."""

record_erasing = Signal()
"""A record is about to be erased for good: receivers remove their own rows on it. Payload: record."""

people_mentioned = Signal()
"""A note names people by `@login`. Payload: comment, record, people (list of users who may see the record), by."""
