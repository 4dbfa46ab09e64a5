"""What telephony tells the frame and the other rooms."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.history.kinds import EventKind, Group, register_event
from crm.people.kinds import RecordKind, register_kind
from telephony.adapters.asterisk.adapter import AsteriskAdapter
from telephony.adapters.base import register_adapter
from telephony.adapters.simulator import SimulatorAdapter
from telephony.adapters.webhook import WebhookAdapter
from telephony.models import Call

EVENTS = (
    EventKind(
        "phone_in", _("the client called %(number)s, talked for %(talk)s"), "telephone-inbound", Group.CALL, "green"
    ),
    EventKind("phone_missed", _("nobody answered the call from %(number)s"), "telephone-x", Group.CALL, "red"),
    EventKind(
        "phone_out", _("called %(number)s, talked for %(talk)s"), "telephone-outbound", Group.CALL, "green"
    ),
    EventKind(
        "phone_out_unanswered", _("called %(number)s without an answer"), "telephone-minus", Group.CALL, "grey"
    ),
    EventKind("phone_noted", _("noted what came of a call"), "pencil", Group.CALL, "grey"),
)  # fmt: skip


def register_all() -> None:
    """Called once the apps are ready."""
    register_adapter(AsteriskAdapter)
    register_adapter(WebhookAdapter)
    register_adapter(SimulatorAdapter)
    register_kind(
        RecordKind(
            Call,
            _("call"),
            _("calls"),
            "telephone",
            "telephony:call_detail",
            personal=True,
            summary_related=("owner",),
        )
    )
    register_event(*EVENTS)
