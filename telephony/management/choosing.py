"""Which connection a command is about."""

from django.core.management.base import CommandError

from telephony.adapters.simulator import SimulatorAdapter
from telephony.models import Connection


def simulated(name: str) -> Connection:
    """The connection of that name, else the first simulated exchange. Raises CommandError."""
    rows = Connection.objects.filter(provider=SimulatorAdapter.key, is_active=True)
    found = (rows.filter(name=name) if name else rows.order_by("pk")).first()
    if found is None:
        raise CommandError(
            f"There is no simulated exchange {name!r}." if name else "There is no simulated exchange."
        )
    return found
