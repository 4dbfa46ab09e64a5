"""What runs of processes tell; sent inside the transaction, with `send`."""

from django.dispatch import Signal

version_published = Signal()
"""A version became the one that new runs start on. Payload: version, by."""

task_opened = Signal()
"""Somebody is asked to do something. Payload: task (UserTask)."""

task_completed = Signal()
"""A person did a task. Payload: task (UserTask), by."""

instance_ended = Signal()
"""A run finished, failed or was called off. Payload: instance."""
