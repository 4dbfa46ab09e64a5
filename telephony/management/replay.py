"""manage.py telephony replay FILE: takes in events of the webhook from a file, and tells what calls they make."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from django.core.management.base import CommandError

from telephony.adapters.base import Malformed
from telephony.adapters.webhook import read_event
from telephony.events import CallFact
from telephony.ingest import take_in
from telephony.management.choosing import simulated
from telephony.models import Call, Connection


def add_arguments(parser) -> None:
    parser.add_argument("file", help="one JSON event a line, or one document with events; - for the input")
    parser.add_argument("--connection", default="", help="name of the simulated exchange")


def handle(command, options: dict) -> None:
    """Prints {calls: […]} as JSON. Raises CommandError for a file that cannot be read; then nothing is taken in."""
    connection = simulated(options["connection"])
    facts = read_facts(_text(options["file"]))
    take_in(connection=connection, facts=facts)
    names = dict.fromkeys(fact.call for fact in facts)
    command.stdout.write(
        json.dumps({"calls": [told(connection, name) for name in names]}, ensure_ascii=False)
    )


def _text(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file cannot be read: {error}") from None


def read_facts(text: str) -> list[CallFact]:
    """Raises CommandError, naming the event."""
    try:
        body = json.loads(text)
        events = body.get("events", [body]) if isinstance(body, dict) else body
    except ValueError:
        try:
            events = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise CommandError(f"Not JSON: {error}") from None
    if not isinstance(events, list) or not events:
        raise CommandError("There are no events in the file.")
    try:
        return [read_event(event, f"event {number}") for number, event in enumerate(events, start=1)]
    except Malformed as malformed:
        raise CommandError(str(malformed)) from None


def told(connection: Connection, name: str) -> dict:
    call = Call.objects.get(connection=connection, provider_id=name)
    spoke = call.legs.filter(role="manager", answered_at__isnull=False).order_by("answered_at")
    return {
        "call_id": name,
        "direction": "internal" if call.is_internal and not call.direction else call.direction,
        "client": call.number or call.number_raw,
        "our_number": call.line,
        "result": call.result,
        "handled_by": list(dict.fromkeys(spoke.values_list("party", flat=True))),
        "ring_s": call.wait_seconds,
        "talk_s": call.talk_seconds,
        "legs": call.legs.count(),
        "missed_task": call.is_missed and not call.is_internal and bool(call.number),
    }
