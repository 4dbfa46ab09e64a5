"""What telephony tells the frame and the other rooms."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, Counterparty
from crm.history.kinds import EventKind, Group, register_event
from crm.listing.lists import register_list
from crm.notify.notices import Notice, register_notice
from crm.people.access import kind_label
from crm.people.fields import register_echoes
from crm.people.kinds import RecordKind, register_kind
from crm.web.registry import MenuEntry, Panel, TopbarSlot, register_menu, register_panel, register_topbar
from leads.models import Lead
from telephony.adapters.asterisk.adapter import AsteriskAdapter
from telephony.adapters.base import register_adapter
from telephony.adapters.simulator import SimulatorAdapter
from telephony.adapters.webhook import WebhookAdapter
from telephony.adapters.zadarma import ZadarmaAdapter
from telephony.lists import CallList
from telephony.models import CARDS, Call
from telephony.models.calls import RECORDING_RIGHTS

# Whoever may not see the phones of any of these sees no number of a call.
PHONES = tuple((kind_label(model), "phone") for model in (Contact, Counterparty, Lead))
_NUMBER = {"number": "number"}
EVENTS = (
    EventKind(
        "phone_in", _("the client called %(number)s, talked for %(talk)s"), "telephone-inbound", Group.CALL, "green",
        _NUMBER,
    ),
    EventKind("phone_missed", _("nobody answered the call from %(number)s"), "telephone-x", Group.CALL, "red", _NUMBER),
    EventKind(
        "phone_out", _("called %(number)s, talked for %(talk)s"), "telephone-outbound", Group.CALL, "green", _NUMBER
    ),
    EventKind(
        "phone_out_unanswered", _("called %(number)s without an answer"), "telephone-minus", Group.CALL, "grey", _NUMBER
    ),
    EventKind("connection_added", _("added the connection"), "plus-lg"),
    EventKind("connection_changed", _("changed the connection"), "pencil"),
    EventKind("connection_renewed", _("gave the connection a new address"), "key"),
    EventKind("connection_on", _("switched the connection on"), "play-circle"),
    EventKind("connection_off", _("switched the connection off"), "pause-circle"),
    EventKind("recording_heard", _("listened to the recording"), "headphones", Group.CALL, "grey"),
    EventKind("recording_held", _("keeps the recordings beyond their time"), "lock", Group.CALL, "amber"),
    EventKind("recording_released", _("lets the time of the recordings count again"), "unlock", Group.CALL, "grey"),
    EventKind("recording_purged", _("deleted the recordings (%(count)s)"), "trash", Group.CALL, "red"),
    EventKind("phone_noted", _("noted what came of a call"), "pencil", Group.CALL, "grey"),
)  # fmt: skip


def register_all() -> None:
    """Called once the apps are ready."""
    register_adapter(AsteriskAdapter)
    register_adapter(ZadarmaAdapter)
    register_adapter(WebhookAdapter)
    register_adapter(SimulatorAdapter)
    register_kind(
        RecordKind(
            Call,
            _("call"),
            _("calls"),
            "telephone",
            "telephony:call_detail",
            rights=tuple(RECORDING_RIGHTS.items()),
            personal=True,
            summary_related=("owner",),
        )
    )
    register_echoes(kind_label(Call), {"number": PHONES, "number_raw": PHONES})
    register_event(*EVENTS)
    register_list(CallList)
    register_notice(
        Notice(
            "telephony.not_returned",
            _("A missed call of my people is not returned in time"),
            "telephone-x",
            mail="now",
        )
    )
    register_menu(
        MenuEntry(
            key="telephone", label=_("Calls"), icon="telephone", url_name="telephony:call_list", order=80,
            kind="telephony.call",
        )
    )  # fmt: skip
    register_topbar(TopbarSlot(key="calls", template="telephony/_calls_slot.html", order=1))
    for name, model in CARDS.items():
        register_panel(
            Panel(
                card=kind_label(model), key="calls", label=_("Calls"), order=25, url_name=f"telephony:{name}_calls",
                count=_count,
            )
        )  # fmt: skip


def _count(record, user) -> int:
    name = next(name for name, model in CARDS.items() if isinstance(record, model))
    return Call.objects.visible_to(user).filter(**{name: record.pk})[:100].count()
