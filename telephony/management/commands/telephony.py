"""Telephony from the command line; each action lives in a module of its own."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from telephony.management import listen, replay, simulate

ACTIONS = {"listen": listen, "simulate": simulate, "replay": replay}


class Command(BaseCommand):
    help = "telephony listen follows exchanges, simulate plays a call, replay takes in events from a file."
    output_transaction = False

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, module in ACTIONS.items():
            module.add_arguments(actions.add_parser(name))

    def handle(self, *args: Any, **options: Any) -> None:
        ACTIONS[options["action"]].handle(self, options)
