"""`manage.py faults`: provokes faults while runs are under way and counts what was lost or doubled."""

import os
import subprocess
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Provokes faults on a PostgreSQL cluster and a Redis of their own and prints a table."

    def add_arguments(self, parser):
        parser.add_argument("--live", type=int, default=200, help="Runs under way at once.")
        parser.add_argument("--runs", type=int, default=20, help="How often each fault is provoked.")
        parser.add_argument("--fault", nargs="*", default=[], help="Only these faults.")
        parser.add_argument("--write", action="store_true", help="Write the table of docs/faults.md anew.")

    def handle(self, *args, live: int, runs: int, fault: list[str], write: bool, **options):
        command = [sys.executable, "-m", "tests.bpm.fault_runs", "--live", str(live), "--runs", str(runs)]
        command += ["--fault", *fault] if fault else []
        command += ["--write", "docs/faults.md"] if write else []
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "crm.settings"}
        if subprocess.run(command, cwd=settings.BASE_DIR, env=env, check=False).returncode:
            raise CommandError("Something was lost, done twice or left standing; see above.")
