"""Facts about jobs."""

from django.dispatch import Signal

job_ended = Signal()
"""A job is done, failed, cancelled or doubtful. Sent inside the transaction that closes it.

Payload: `job` (crm.jobs.models.Job, its `status`, `result` and `error` already set). Not sent when the job goes
round again because it was asked for while it ran.
"""
