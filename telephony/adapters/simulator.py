"""An exchange that is not there: flows are played through the signed webhook, dialling too."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.jobs.services import enqueue
from telephony.adapters.webhook import WebhookAdapter
from telephony.models import Call

PLAY = "telephony.play"
DIALLED = "outgoing_answered"


class SimulatorAdapter(WebhookAdapter):
    """For trying things out: calls are played, nobody's telephone rings."""

    key = "simulator"
    label = _("Simulator")
    can_originate = True

    def originate(self, call: Call) -> str:
        """Plays a call that is answered, under our own id."""
        cast = {
            "ext1": call.extension.number,
            "client": call.number,
            "origin": str(call.uuid),
            "call": str(call.uuid),
        }
        enqueue(kind=PLAY, args={"connection": call.connection_id, "flow": DIALLED, "cast": cast, "speed": 3})
        return str(call.uuid)
