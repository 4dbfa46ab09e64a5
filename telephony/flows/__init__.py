"""Whole calls as data: the simulator plays them, tests shuffle them.

A step is an event of the signed webhook with `after` seconds in the place of `at`. `$client`, `$line`, `$ext1` …,
`$call` and `$origin` stand for whom the player casts. `expect` is what must come of the call.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.utils.translation import gettext_lazy as _

FOLDER = Path(__file__).parent

LABELS = {
    "incoming_answered": _("A client calls and is answered"),
    "incoming_several": _("A number that several records have"),
    "incoming_unknown": _("A number that nobody knows"),
    "incoming_withheld": _("The caller withholds his number"),
    "incoming_recorded": _("Answered, with a recording"),
    "incoming_missed": _("Nobody answers"),
    "caller_gave_up": _("The caller gives up"),
    "incoming_busy": _("The phone is busy"),
    "phone_offline": _("The phone is out of reach"),
    "ring_group": _("Three phones ring, one answers"),
    "ring_group_missed": _("Two phones ring, nobody answers"),
    "queue": _("A queue: the second one answers"),
    "queue_abandoned": _("The caller leaves the queue"),
    "blind_transfer": _("Handed on to a colleague"),
    "attended_transfer": _("Handed on after a word with the colleague"),
    "voicemail": _("The caller leaves a message"),
    "lost_end": _("The exchange never tells of the end"),
    "lost_then_found": _("The end is told late"),
    "end_alone": _("Only the end arrives"),
    "forged_end": _("A false end in the middle of a call"),
    "outgoing_answered": _("Called and answered"),
    "outgoing_no_answer": _("Called, the client does not answer"),
    "outgoing_busy": _("Called, the client is busy"),
    "outgoing_refused": _("Started here, the own phone is not picked up"),
    "outgoing_phone_offline": _("Started here, the own phone is out of reach"),
    "internal": _("Two colleagues talk"),
}


@dataclass(frozen=True)
class Flow:
    """`client`: which kind of caller it needs: known, several, unknown, withheld, nobody."""

    name: str
    client: str
    steps: tuple[dict, ...]
    expect: dict

    @property
    def label(self) -> str:
        return LABELS.get(self.name, self.name)

    @property
    def seconds(self) -> float:
        return max(step["after"] for step in self.steps)

    def events(self, cast: dict[str, str], start: datetime, speed: float = 1) -> list[dict]:
        """The events of the webhook, in their order. `cast`: what `client`, `ext1`, `call` … stand for."""
        return [_event(number, step, cast, start, speed) for number, step in enumerate(self.steps)]

    def expected(self, cast: dict[str, str]) -> dict:
        return {name: _filled(value, cast) for name, value in self.expect.items()}


@lru_cache
def flow_named(name: str) -> Flow:
    """Raises KeyError for a flow that does not exist."""
    if name not in LABELS:
        raise KeyError(name)
    data = json.loads((FOLDER / f"{name}.json").read_text())
    return Flow(name, data["client"], tuple(data["steps"]), data["expect"])


def all_flows() -> list[Flow]:
    return [flow_named(name) for name in LABELS]


def _event(number: int, step: dict, cast: dict[str, str], start: datetime, speed: float) -> dict:
    event = {name: _filled(value, cast) for name, value in step.items() if name not in {"after", "kind"}}
    at = start + timedelta(seconds=step["after"] / speed)
    return {
        "id": f"{cast['call']}-{number}",
        "call": cast["call"],
        "event": step["kind"],
        "at": at.isoformat(),
        **event,
    }


def _filled(value, cast: dict[str, str]):
    if isinstance(value, list):
        return [_filled(one, cast) for one in value]
    if not isinstance(value, str) or not value.startswith("$"):
        return value
    name, dot, rest = value[1:].partition(".")
    return cast.get(name, "") + dot + rest
