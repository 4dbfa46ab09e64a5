"""manage.py telephony simulate FLOW: plays one call through the real hook."""

from __future__ import annotations

from django.core.management.base import CommandError

from crm.people.models import User
from telephony.flows import LABELS, flow_named
from telephony.management.choosing import simulated
from telephony.simulator import NotTaken, cast_of, play


def add_arguments(parser) -> None:
    parser.add_argument("flow", choices=sorted(LABELS), metavar="FLOW", help=", ".join(sorted(LABELS)))
    parser.add_argument("--speed", type=float, default=1, help="how many times faster than it happens")
    parser.add_argument("--connection", default="", help="name of the simulated exchange")
    parser.add_argument("--user", default="", help="login of whoever the call is for")
    parser.add_argument("--client", default="", help="the client's number")


def handle(command, options: dict) -> None:
    """Prints each event as it is posted. Raises CommandError."""
    if not options["speed"] > 0:
        raise CommandError("--speed must be above nought.")
    connection, flow = simulated(options["connection"]), flow_named(options["flow"])
    person = User.objects.filter(username=options["user"]).first()
    if options["user"] and person is None:
        raise CommandError(f"Nobody signs in as {options['user']!r}.")
    cast = cast_of(connection, flow, person)
    if options["client"]:
        cast["client"] = options["client"]
    try:
        for event in play(connection, flow, cast, speed=options["speed"]):
            told = " ".join(str(event[name]) for name in ("leg", "party", "result") if event.get(name))
            command.stdout.write(f"{event['at'][11:19]} {event['event']:<12}{told}")
    except NotTaken as refused:
        raise CommandError(f"The hook refused the event: {refused}") from None
