"""Facts about activities; each is sent inside the transaction that made it true."""

from django.dispatch import Signal

activity_planned = Signal()
"""Something was put into somebody's calendar. Payload: activity, by."""

activity_completed = Signal()
"""A call was made, a meeting held, a letter sent. Payload: activity, by, next_activity (None when no step follows)."""

activity_rescheduled = Signal()
"""A planned activity was moved to another time. Payload: activity, by, was (the earlier start)."""

activity_cancelled = Signal()
"""A planned activity will not take place. Payload: activity, by."""
