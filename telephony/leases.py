"""One listener for each connection: a lease in the database, renewed while the process lives."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from crm.jobs.services import database_now
from telephony.models import Connection, ListenerLease

LEASE = timedelta(seconds=30)


@transaction.atomic
def claim(connection_id: int, token: UUID) -> bool:
    """Takes the lease or renews it. False while somebody else holds it."""
    now = database_now()
    ends = now + LEASE
    rows = ListenerLease.objects.filter(connection_id=connection_id)
    if rows.filter(Q(token=token) | Q(until__lt=now)).update(token=token, until=ends):
        return True
    # ON CONFLICT DO NOTHING: an IntegrityError would poison the transaction on PostgreSQL.
    draft = ListenerLease(connection_id=connection_id, token=token, until=ends)
    ListenerLease.objects.bulk_create([draft], ignore_conflicts=True)
    return rows.filter(token=token).exists()


def release(connection_id: int, token: UUID) -> None:
    """Lets go, so that the next one need not wait."""
    ListenerLease.objects.filter(connection_id=connection_id, token=token).delete()


def note_health(connection_id: int, health: dict) -> None:
    """What the listener says of itself, and that it lives."""
    Connection.objects.filter(pk=connection_id).update(listener_at=database_now(), health=health)
