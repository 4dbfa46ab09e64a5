"""An exchange that is not there: flows are played through the signed webhook, dialling too."""

from __future__ import annotations

from io import BytesIO
from typing import BinaryIO

from django.utils.translation import gettext_lazy as _

from crm.jobs.services import enqueue
from telephony.adapters.webhook import WebhookAdapter
from telephony.models import Call
from telephony.sounds import tune_of

PLAY = "telephony.play"
DIALLED = "outgoing_answered"


class SimulatorAdapter(WebhookAdapter):
    """For trying things out: calls are played, nobody's telephone rings."""

    key = "simulator"
    label = _("Simulator")
    fields = WebhookAdapter.fields[:1]
    about = _("For trying out: calls are played, nobody's telephone rings.")
    first_step = _("Play a call in the simulator.")
    keeps_address = True
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

    def fetch_recording(self, reference: str) -> BinaryIO:
        """A tune in the place of a talk."""
        return BytesIO(tune_of(reference))
