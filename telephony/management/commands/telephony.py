"""Telephony from the command line; each action lives in a module of its own."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

ACTIONS = {
    "simulate": "telephony.management.simulate",
    "replay": "telephony.management.replay",
}


class Command(BaseCommand):
    help = "telephony simulate plays a call, replay takes in events from a file."
    output_transaction = False

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, module in ACTIONS.items():
            import_module(module).add_arguments(actions.add_parser(name))

    def handle(self, *args: Any, **options: Any) -> None:
        import_module(ACTIONS[options["action"]]).handle(self, options)
