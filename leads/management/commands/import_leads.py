"""manage.py import_leads FILE --user LOGIN: the import wizard without a browser."""

import json

from django.core.management.base import BaseCommand, CommandError

from crm.listing.imports.console import Stopped, add_arguments, as_text, import_file
from leads.models import LEAD_KIND


class Command(BaseCommand):
    help = "Imports leads from a spreadsheet on behalf of a user; columns are matched by themselves."

    def add_arguments(self, parser) -> None:
        add_arguments(parser)

    def handle(self, *args, file, user: str, mode: str, dry_run: bool, **options) -> None:
        try:
            report = import_file(file=file, kind=LEAD_KIND, login=user, mode=mode, dry_run=dry_run)
        except Stopped as reason:
            raise CommandError(str(reason)) from None
        self.stdout.write(json.dumps(report, ensure_ascii=False) if options["json"] else as_text(report))
