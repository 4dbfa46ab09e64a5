"""Checks diagrams and rehearses them, without touching the database."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from bpm.engine.checking import Report, check
from bpm.engine.dryrun import COMPLETED, ERROR, WAITING, DryRun, dry_run
from bpm.engine.findings import REJECT, Finding, Phrase
from bpm.engine.hardening import MAX_BYTES
from bpm.engine.model import Graph


class Command(BaseCommand):
    help = "bpmn check FILE… gives a verdict on each file; bpmn run FILE… rehearses its processes."
    requires_system_checks: list[str] = []
    output_transaction = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=("check", "run"))
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--json", action="store_true", help="machine-readable output")
        parser.add_argument("--seed", type=int, default=0, help="of the random answers in a rehearsal")

    def handle(self, *args: Any, **options: Any) -> None:
        reports = [(name, _report(name)) for name in options["files"]]
        if options["action"] == "check":
            failed = any(report.verdict == REJECT for _name, report in reports)
            rows = [_checked(name, report) for name, report in reports]
        else:
            others = {graph.id: graph for _name, report in reports for graph in report.graphs}
            runs = [(name, _rehearsed(report, options["seed"], others)) for name, report in reports]
            failed = any(run.outcome not in (COMPLETED, WAITING) for _name, each in runs for run in each)
            rows = [{"file": name, "processes": [run.to_json() for run in each]} for name, each in runs]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=2))
        else:
            self.tell(options["action"], rows)
        if failed:
            sys.exit(1)

    def tell(self, action: str, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            self.stdout.write(f"{row['file']}: {row['verdict']}" if action == "check" else row["file"])
            for each in row.get("findings", ()):
                place = each["name"] or each["element"]
                self.stdout.write(f"  {each['severity']}: {place}: {each['message']} {each['remedy']}")
            if action == "run":
                for run in row["processes"]:
                    self.stdout.write(f"  {run['id']}: {run['outcome']} {run['message']}".rstrip())
                    self.stdout.write(f"    {' → '.join(run['visited'])}")


def _report(name: str) -> Report:
    """The verdict on a file; one that cannot be read is rejected like any other bad file."""
    try:
        with Path(name).open("rb") as file:
            return check(file.read(MAX_BYTES + 1))
    except OSError as error:
        what, how = (
            Phrase(f"The file cannot be read: {error.strerror}."),
            Phrase("Check its name and permissions."),
        )
        return Report(REJECT, (), (Finding("error", "unreadable", "", name, what, how),))


def _checked(name: str, report: Report) -> dict[str, Any]:
    return {
        "file": name,
        "verdict": report.verdict,
        "processes": [graph.id for graph in report.graphs],
        "findings": [each.to_json() for each in report.findings],
    }


def _rehearsed(report: Report, seed: int, others: dict[str, Graph]) -> list[DryRun]:
    """The processes of one file; whatever they call is looked for in all files given."""
    if not report.graphs:
        message = next((each.message for each in report.findings), "There is nothing to run.")
        return [DryRun("", ERROR, message, ())]
    return [dry_run(graph, seed, others) for graph in report.graphs]
