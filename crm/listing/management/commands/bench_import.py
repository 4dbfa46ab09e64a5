"""manage.py bench_import --kind KIND --rows N --user LOGIN: how long an import and its undo take, and their memory."""

from __future__ import annotations

import csv
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from crm.jobs import worker
from crm.listing.imports import undoing
from crm.listing.imports.console import Stopped, finish, import_file
from crm.listing.imports.registry import importable_kinds, importer_for
from crm.listing.models import Import
from crm.people.kinds import kind_named
from crm.people.models import User

# By column; what a kind's file lacks here stays out of it. The demo's phones begin otherwise: nothing meets them.
CELLS: dict[str, Callable[[int], str]] = {
    "company": lambda number: f"Bench {_word(number)} {number} Sp. z o.o.",
    "name": lambda number: f"Bench {_word(number)} {number} Sp. z o.o.",
    "person": lambda number: f"Anna Bench{_word(number)}",
    "contact_person": lambda number: f"Jan Bench{_word(number)}",
    "phone": lambda number: f"69{_digits(number)}; 58 3{number % 1_000_000:06}",
    "contact_phone": lambda number: f"66{_digits(number)}",
    "email": lambda number: f"office{number}@bench{number}.example",
    "contact_email": lambda number: f"jan{number}@bench{number}.example",
    "position": lambda number: "buyer",
    "contact_position": lambda number: "buyer",
    "website": lambda number: f"www.bench{number}.example",
    "city": lambda number: ("Warszawa", "Łódź", "Kraków", "Gdynia")[number % 4],
    "amount": lambda number: str(1000 + number),
    "close_date": lambda number: f"2030-{number % 12 + 1:02}-15",
    "note": lambda number: f"Met at stand {number % 90}",
}
_LETTERS = "bcdfghjklmnprstwz"


class Command(BaseCommand):
    help = "Writes a file of made-up rows, imports it into this database, and takes it back when asked to."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--kind", required=True, choices=importable_kinds())
        parser.add_argument("--rows", type=int, default=10_000)
        parser.add_argument("--start", type=int, default=0, help="number of the first row: another file")
        parser.add_argument("--user", required=True, help="login of the user who imports")
        parser.add_argument("--undo", action="store_true")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, kind: str, rows: int, start: int, user: str, **options) -> None:
        by = User.objects.filter(username=user).first()
        if by is None:
            raise CommandError(f"There is no user {user!r}.")
        found: dict[str, object] = {"database": connection.vendor, "kind": kind, "rows": rows}
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "bench.csv"
            _write(file, kind, by, range(start, start + rows))
            try:
                with _timed(found, "import_s"):
                    report = import_file(file=file, kind=kind, login=user, mode="create", dry_run=False)
            except Stopped as reason:
                raise CommandError(str(reason)) from None
        found |= {"created": report["created"], "faulty": len(report["errors"])}
        with _timed(found, "follow_up_s"):
            worker.drain(seconds=3600)
        if options["undo"]:
            with _timed(found, "undo_s"):
                run = Import.objects.get(pk=report["import_id"])
                finish(run, undoing.start_undo(run=run, by=by))
            found["undone"] = run.counts["undone"]
        found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _UNIT)
        self.stdout.write(json.dumps(found) if options["json"] else _text(found))


_UNIT = 1024**2 if sys.platform == "darwin" else 1024


def _text(found: dict[str, object]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in found.items())


@contextmanager
def _timed(found: dict[str, object], name: str) -> Iterator[None]:
    began, cpu = time.monotonic(), time.process_time()
    yield
    found[name] = round(time.monotonic() - began, 1)
    found[name.replace("_s", "_cpu_s")] = round(time.process_time() - cpu, 1)


def _digits(number: int) -> str:
    """Seven digits as people group them: "0 012 345"."""
    return f"{number // 1_000_000 % 10} {number // 1000 % 1000:03} {number % 1000:03}"


def _word(number: int) -> str:
    """A pronounceable word of the number, so that names differ by more than a digit."""
    letters = ""
    for _place in range(4):
        number, rest = divmod(number * 7919 + 13, len(_LETTERS))
        letters += _LETTERS[rest] + "aeiou"[rest % 5]
    return letters.capitalize()


def _names_of(kind: str, by: User) -> Callable[[int], str]:
    """Names of records that are there already, in turn."""
    known = [str(record) for record in kind_named(kind).visible(by).order_by("pk")[:500]]
    return lambda number: known[number % len(known)]


def _write(file: Path, kind: str, by: User, numbers: range) -> None:
    targets = [
        one for one in importer_for(kind).fields(by) if one.key in CELLS or (one.required and one.records)
    ]
    cells = {one.key: CELLS.get(one.key) or _names_of(one.records[0], by) for one in targets}
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow([str(one.label) for one in targets])
        for number in numbers:
            writer.writerow([cells[one.key](number) for one in targets])
