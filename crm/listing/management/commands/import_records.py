"""manage.py import_records FILE --kind KIND --user LOGIN: the import wizard without a browser, for any kind."""

import json

from django.core.management.base import BaseCommand, CommandError

from crm.listing.imports.console import Stopped, add_arguments, as_text, import_file
from crm.listing.imports.registry import importable_kinds


class Command(BaseCommand):
    help = "Imports a spreadsheet on behalf of a user; columns are matched by themselves."

    def add_arguments(self, parser) -> None:
        add_arguments(parser)
        parser.add_argument("--kind", required=True, choices=importable_kinds())

    def handle(self, *args, file, kind: str, user: str, mode: str, dry_run: bool, **options) -> None:
        try:
            report = import_file(file=file, kind=kind, login=user, mode=mode, dry_run=dry_run)
        except Stopped as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else as_text(report))
