"""Compares the derived rows of attributes with the records; ends with 1 when they differ."""

import sys

from django.core.management.base import BaseCommand

from crm.attributes.consistency import differences

SHOWN = 50


class Command(BaseCommand):
    help = "Compare the searchable copies of attribute values with the records they were made from."

    def handle(self, *args, **options):
        count = 0
        for difference in differences():
            count += 1
            if count <= SHOWN:
                self.stdout.write(str(difference))
        if not count:
            self.stdout.write("The searchable copies of all attribute values are right.")
            return
        self.stdout.write(f"{count} values differ.")
        sys.exit(1)
