"""A call is what its events make of it; it follows the visibility of its primary card and of who handled it."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from counterparties.models import Contact, Counterparty
from crm.people.access import kind_label
from crm.people.phones import show_phone
from crm.people.visibility import OwnedRecord, VisibleQuerySet, sees
from deals.models import Deal
from leads.models import Lead
from telephony.models.connections import Connection, Extension

# Rights over the recordings of calls that one sees.
RECORDING_RIGHTS = {"listen": _("listen to recordings"), "hold": _("keep recordings beyond their time"),
                    "purge": _("delete recordings")}  # fmt: skip
# The first that is set is the primary card: a call is seen by whoever sees that one.
CARDS: dict[str, type[OwnedRecord]] = {
    "deal": Deal,
    "lead": Lead,
    "counterparty": Counterparty,
    "contact": Contact,
}
# What `telephony.ingest` writes anew from the events of a call; people write the rest.
FLOW_FIELDS = (
    "direction", "is_internal", "number", "number_raw", "line", "state", "result", "started_at", "answered_at",
    "ended_at", "talk_seconds", "wait_seconds", "owner", "department", "updated_at",
)  # fmt: skip


class Direction(models.TextChoices):
    INCOMING = "in", _("incoming")
    OUTGOING = "out", _("outgoing")


class State(models.TextChoices):
    STARTED = "started", _("is being put through")
    RINGING = "ringing", _("rings")
    ANSWERED = "answered", _("on the phone")
    ENDED = "ended", _("ended")


class Ending(models.TextChoices):
    """What came of the line; what came of the conversation is `Outcome`."""

    ANSWERED = "answered", _("answered")
    BUSY = "busy", _("busy")
    NO_ANSWER = "no_answer", _("not answered")
    UNREACHABLE = "unreachable", _("phone out of reach")
    FAILED = "failed", _("failed")
    VOICEMAIL = "voicemail", _("voicemail")
    CANCELLED = "cancelled", _("cancelled")
    ELSEWHERE = "elsewhere", _("answered by somebody else")
    LOST = "lost", _("end unknown")


class Outcome(models.TextChoices):
    AGREED = "agreed", _("agreed")
    INTERESTED = "interested", _("interested")
    CALL_BACK = "call_back", _("call again")
    REFUSED = "refused", _("not interested")
    WRONG = "wrong", _("wrong number")


class CallQuerySet(VisibleQuerySet):
    def visible_to(self, user, action: str = "view") -> Self:
        """Calls on which `user` may perform `action`: his own, those his roles reach, those whose primary card he may
        view (edit …), and for viewing and noting, those that rang at his phone. Internal calls never.
        """
        if not user.is_active:
            return self.none()
        if action in RECORDING_RIGHTS:
            # Owning a call or seeing its card is not enough: a role must say so.
            return self.visible_to(user).filter(user.access.condition(self.model, action))
        rows = self.filter(deleted_at=None, is_internal=False)
        if user.access.scope(kind_label(self.model), action) == "all":
            return rows
        named = Q(owner_id=user.pk)
        if action in {"view", "edit"}:
            named |= Q(Exists(CallLeg.objects.filter(call_id=OuterRef("pk"), user_id=user.pk)))
        return rows.filter(named | user.access.condition(self.model, action) | _by_card(user, action))

    def live(self) -> Self:
        """Not over yet."""
        return self.exclude(state=State.ENDED)


def _by_card(user, action: str) -> Q:
    """Correlated, so that a page of calls asks about its own cards only."""
    condition, above = Q(), {}
    for name, model in CARDS.items():
        condition |= Q(sees(user, model, f"{name}_id", action), **above, **{f"{name}__isnull": False})
        above[f"{name}__isnull"] = True
    return condition


def _card(model: str):
    return models.ForeignKey(model, models.PROTECT, null=True, blank=True, related_name="calls")


class Call(OwnedRecord):
    """One call with somebody outside, through however many legs.

    `is_internal`: between colleagues, or with a number that its connection leaves out; nobody sees such calls.
    `provider_id`: empty while a call that was started here is not known to the provider. `number`: the client's in
    E.164; `number_raw`: as sent. `line`: our number. `owner`: who spoke, else at whose phone it rang first.
    `wrapped_at`: when its owner put away what stood on his screen.
    `asked_by` and `extension`: who started it here, from which phone. `failure`: why it could not be started.
    `by_hand`: a person chose the cards; nothing matches them again.
    """

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(
        Connection, models.PROTECT, related_name="calls", verbose_name=_("connection")
    )
    provider_id = models.CharField(max_length=160, null=True, editable=False)
    direction = models.CharField(_("direction"), max_length=3, choices=Direction.choices, blank=True)
    is_internal = models.BooleanField(default=False, editable=False)
    number = models.CharField(_("number"), max_length=20, blank=True)
    number_raw = models.CharField(max_length=80, blank=True)
    line = models.CharField(_("our number"), max_length=40, blank=True)
    state = models.CharField(_("state"), max_length=8, choices=State.choices, default=State.STARTED)
    result = models.CharField(_("ending"), max_length=12, choices=Ending.choices, blank=True)
    started_at = models.DateTimeField(_("began"))
    answered_at = models.DateTimeField(_("answered at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    talk_seconds = models.PositiveIntegerField(_("talk"), default=0)
    wait_seconds = models.PositiveIntegerField(_("waiting"), default=0)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    extension = models.ForeignKey(Extension, models.SET_NULL, null=True, related_name="+")
    failure = models.CharField(max_length=200, blank=True)
    note = models.TextField(_("note"), blank=True)
    outcome = models.CharField(_("result"), max_length=12, choices=Outcome.choices, blank=True)
    wrapped_at = models.DateTimeField(null=True, editable=False)
    by_hand = models.BooleanField(default=False, editable=False)
    lead = _card("leads.Lead")
    deal = _card("deals.Deal")
    counterparty = _card("counterparties.Counterparty")
    contact = _card("counterparties.Contact")

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("call")
        verbose_name_plural = _("calls")
        constraints = [
            models.UniqueConstraint(fields=["connection", "provider_id"], name="one_call_per_provider_id"),
            models.CheckConstraint(
                condition=Q(state="ended", ended_at__isnull=False) | ~Q(state="ended"),
                name="call_ended_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at", "-id"], name="call_by_time"),
            models.Index(fields=["owner", "-started_at"], name="call_of_owner"),
            models.Index(fields=["number", "-started_at"], name="call_of_number"),
            models.Index(fields=["started_at"], condition=~Q(state="ended"), name="call_live"),
            *(
                models.Index(
                    fields=[card, "-started_at"],
                    condition=Q(**{f"{card}__isnull": False}),
                    name=f"call_of_{card[:8]}",
                )
                for card in ("deal", "lead", "counterparty", "contact")
            ),
        ]

    def __str__(self) -> str:
        return self.shown_number or str(self._meta.verbose_name)

    @property
    def shown_number(self) -> str:
        return show_phone(self.number) if self.number else self.number_raw

    @property
    def is_number_hidden(self) -> bool:
        """Whether it was emptied for a reader who must not see it."""
        return "number" in self.__dict__.get("_masked", {})

    @property
    def is_live(self) -> bool:
        return self.state != State.ENDED

    @property
    def is_missed(self) -> bool:
        """A client called and nobody spoke with him; one whose end is unknown is not called missed."""
        return (
            self.direction == Direction.INCOMING
            and self.state == State.ENDED
            and self.result not in {Ending.ANSWERED, Ending.LOST, Ending.VOICEMAIL}
        )

    def card_keys(self) -> list[tuple[str, int]]:
        """(kind label, id) of every card the call stands on, the primary one first."""
        ids = [(model, getattr(self, f"{name}_id")) for name, model in CARDS.items()]
        return [(kind_label(model), pk) for model, pk in ids if pk is not None]


class CallLeg(models.Model):
    """One end of a call. `position`: the order in which the legs began."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="legs")
    provider_id = models.CharField(max_length=160)
    position = models.PositiveSmallIntegerField(default=0)
    role = models.CharField(max_length=8)
    party = models.CharField(max_length=80, blank=True)
    extension = models.ForeignKey(Extension, models.SET_NULL, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices)
    result = models.CharField(max_length=12, choices=Ending.choices, blank=True)
    started_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    talk_seconds = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = _("leg of a call")
        verbose_name_plural = _("legs of calls")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["call", "provider_id"], name="one_leg_per_provider_id")
        ]
        indexes = [models.Index(fields=["user", "call"], name="legs_of_user")]

    def __str__(self) -> str:
        return self.party


class CallEvent(models.Model):
    """One fact as it arrived; never changed. `fact` is what `telephony.flow` reads."""

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="events")
    call = models.ForeignKey(Call, models.CASCADE, related_name="events")
    key = models.CharField(max_length=64)
    kind = models.CharField(max_length=12)
    fact = models.JSONField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("event of a call")
        verbose_name_plural = _("events of calls")
        constraints = [models.UniqueConstraint(fields=["connection", "key"], name="one_event_per_key")]
        indexes = [models.Index(fields=["connection", "-id"], name="latest_events")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
