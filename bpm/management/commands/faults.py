"""`manage.py faults [--kind kill]`: kills workers while runs are under way and counts what was lost or doubled."""

import subprocess
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

KINDS = {"kill": ["tests/bpm/test_kill.py", "tests/jobs/test_killed_worker.py"]}


class Command(BaseCommand):
    help = "Provokes faults on a database of its own (a file, or one more on the server of DATABASE_URL)."

    def add_arguments(self, parser):
        parser.add_argument("--kind", choices=KINDS, default="kill")

    def handle(self, *args, kind: str, **options):
        tests = [str(settings.BASE_DIR / test) for test in KINDS[kind]]
        command = [sys.executable, "-m", "pytest", "-m", "faults", "-v", *tests]
        if subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode:
            raise CommandError("Something was lost or done twice; see above.")
