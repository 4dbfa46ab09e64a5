"""The list of calls: fields, filters, and tabs by what came of them."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.functional import cached_property
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from crm.listing.counting import capped_counts
from crm.listing.fields import Field
from crm.listing.lists import COUNT_CAP, RecordList
from telephony.models import CARDS, Call, Direction, Outcome, State
from telephony.models.calls import Ending

TONES = {
    Ending.ANSWERED: ("green", "telephone"),
    Ending.VOICEMAIL: ("amber", "voicemail"),
    Ending.LOST: ("grey", "question-circle"),
    Ending.FAILED: ("red", "exclamation-triangle"),
}
_IN, _OUT = (Q(direction=way, state=State.ENDED) for way in (Direction.INCOMING, Direction.OUTGOING))
_TAKEN = Q(result__in=[Ending.ANSWERED, Ending.LOST, Ending.VOICEMAIL])
# Every call stands behind one of them.
TABS = {
    "live": (_("Now"), ~Q(state=State.ENDED)),
    "missed": (_("Missed"), _IN & ~_TAKEN),
    "in": (_("Incoming"), _IN & _TAKEN),
    "out": (_("Outgoing"), _OUT),
}


def status_pill(call: Call) -> tuple[str, str, str]:
    """(colour, label, icon) of what a call is or came to."""
    if call.is_live:
        return "blue", str(call.get_state_display()).capitalize(), "telephone"
    if call.is_missed:
        return "red", str(_("missed")).capitalize(), "telephone-x"
    tone, icon = TONES.get(call.result, ("grey", "telephone-minus"))
    return tone, str(call.get_result_display()).capitalize(), icon


def duration(seconds: int) -> str:
    """Minutes and seconds, hours where there are any; empty for none."""
    if not seconds:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


FIELDS = (
    Field("started_at", _("When"), "moment", sort="started_at"),
    Field(
        "hour",
        _("Hour"),
        "choice",
        path="started_at__hour",
        pairs=tuple((hour, f"{hour}:00") for hour in range(24)),
        get=lambda call: localtime(call.started_at).hour,
    ),
    Field("direction", _("Direction"), "choice", pairs=tuple(Direction.choices)),
    Field("number", _("Number"), "phone", get=lambda call: call.number or call.number_raw),
    Field("who", _("Concerns"), computed=True),
    Field("result", _("Ending"), "choice", pairs=tuple(Ending.choices)),
    Field("wait_seconds", _("Waiting (s)"), "number"),
    Field("talk_seconds", _("Talk (s)"), "number"),
    Field("outcome", _("Result"), "choice", pairs=tuple(Outcome.choices)),
    Field("note", _("Note")),
    Field("line", _("Our number")),
    Field("connection", _("Connection"), path="connection__name", joins=("connection",)),
    Field("owner", _("Owner"), "person", joins=("owner",)),
)


class CallList(RecordList):
    """One page of calls, the latest first."""

    model = Call
    url_name = "telephony:call_list"
    fields = FIELDS
    default_columns = (
        "number",
        "who",
        "started_at",
        "direction",
        "result",
        "talk_seconds",
        "outcome",
        "owner",
    )
    quick = ("owner", "direction", "outcome")
    default_sort = "-started_at"
    tabs = [(key, label) for key, (label, _condition) in TABS.items()]

    @cached_property
    def matching_rows(self) -> QuerySet:
        if self.tab in TABS:
            return self.filtered.filter(TABS[self.tab][1])
        return self.filtered

    @cached_property
    def counts(self) -> list[tuple[str, str, int]]:
        rows = self.filtered.order_by()
        parts = [(key, rows.filter(condition)) for key, (_label, condition) in TABS.items()]
        found = capped_counts(parts, COUNT_CAP + 1)
        return [(key, label, found[key]) for key, (label, _condition) in TABS.items()]

    def tab_counts(self) -> list[tuple[str, str, int]]:
        return self.counts

    @property
    def count(self) -> int:
        """Taken from the tabs' counts: no query of its own."""
        counts = {key: count for key, _label, count in self.counts}
        return min(counts.get(self.tab, sum(counts.values())), COUNT_CAP + 1)

    def joined(self, rows: QuerySet) -> QuerySet:
        return rows.select_related("owner")


def with_cards(user, calls: list[Call]) -> list[Call]:
    """The calls, each with `seen_card`: the first of its cards that the reader may see, as (kind, record)."""
    for name, model in CARDS.items():
        pks = {getattr(call, f"{name}_id") for call in calls} - {None}
        seen = model.objects.visible_to(user).in_bulk(pks) if pks else {}
        for call in calls:
            call.seen_cards = [*getattr(call, "seen_cards", []), seen.get(getattr(call, f"{name}_id"))]
    for call in calls:
        call.seen_cards = [card for card in call.seen_cards if card is not None]
    return calls
