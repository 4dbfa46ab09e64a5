"""`manage.py bench`: times every main page on the present database and counts its queries."""

from __future__ import annotations

import json
import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from crm.people.kinds import all_kinds
from crm.people.models import User
from crm.web.bench.measuring import Bench, Result
from crm.web.bench.pages import pages_of
from crm.web.warming import warm

HEADINGS = f"{'page':<46} {'median':>8} {'p95':>8} {'× floor':>8} {'cpu':>7} {'of it db':>8} {'queries':>8} {'kB':>7}"


class Command(BaseCommand):
    help = "Measures every main page as several people; nothing is left changed."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="Print JSON instead of a table.")
        parser.add_argument(
            "--strict", action="store_true", help="End with 1 when a page is over its budget."
        )
        parser.add_argument(
            "--as", dest="logins", default="rep,head,admin", help="Logins, separated by commas."
        )
        parser.add_argument("--only", default="", help="Only pages whose name contains this.")
        parser.add_argument("--repeat", type=int, default=9)

    def handle(self, *args, logins: str, only: str, repeat: int, **options):
        results: list[Result] = []
        floor = 0.0
        warm()
        for login in logins.split(","):
            user = User.objects.filter(username=login).first()
            if user is None:
                raise CommandError(f"There is no user {login}.")
            bench = Bench(user, repeat=repeat)
            try:
                floor = floor or bench.floor_ms()
                if not options["json"]:
                    self.stdout.write(f"\nas {login}, bare session and user view {floor:.2f} ms\n{HEADINGS}")
                for page in pages_of(user):
                    if only in page.name and (result := bench.measure(page)) is not None:
                        results.append(result)
                        if not options["json"]:
                            self._tell(result, floor)
            finally:
                bench.close()
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(results, floor), indent=1))
        over = [result for result in results if result.over]
        if not options["json"]:
            self.stdout.write(f"\n{len(results)} pages, {len(over)} over budget")
        if options["strict"] and over:
            sys.exit(1)

    def _tell(self, result: Result, floor: float) -> None:
        line = (
            f"{result.page.name[:46]:<46} {result.median_ms:>8.1f} {result.p95_ms:>8.1f} "
            f"{result.median_ms / floor:>8.1f} {result.cpu_ms:>7.1f} {result.db_ms:>8.1f} {result.queries:>8} "
            f"{result.size / 1024:>7.1f}"
        )
        mark = f"  over: {', '.join(result.over)}" if result.over else ""
        self.stdout.write(self.style.ERROR(line + mark) if mark else line)


def _as_json(results: list[Result], floor: float) -> dict:
    return {
        "database": connection.vendor,
        "data": {kind.label: kind.model._base_manager.count() for kind in all_kinds()},
        "floor_ms": round(floor, 2),
        "pages": [{**result.as_json(), "ratio": round(result.median_ms / floor, 1)} for result in results],
    }
