"""`manage.py demo [--scale small|large]`: fills an empty installation with people and records to try everything on."""

import time
from contextlib import nullcontext

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from crm.people.models import User
from crm.web.demo import SCALES, Demo, steps
from crm.web.demo_removal import mark_demo


class Command(BaseCommand):
    help = "Fills an empty database with demo users (password: demo) and records."

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=SCALES, default="small")
        parser.add_argument(
            "--part", type=float, default=1.0, help="How much of the large scale, 0.01 for a hundredth."
        )

    def handle(self, *args, scale: str, part: float, **options):
        if not settings.DEMO:
            raise CommandError(
                "Demo users have a known password. Set CRM_DEMO=1 to say that this is no real installation."
            )
        if User.objects.exists():
            raise CommandError("The database already has users: demo data goes into an empty one only.")
        started = time.monotonic()
        demo = Demo(scale=scale, today=timezone.localdate(), say=self.stdout.write, part=part)
        # A large load commits batch by batch: tables cannot be altered while their rows are unsettled.
        with transaction.atomic() if scale == "small" else nullcontext():
            for step in steps(scale):
                self.stdout.write(f"  demo: {step.name.removesuffix('.load')}", ending="\n")
                step.load(demo)
            mark_demo()
        self.stdout.write(
            self.style.SUCCESS(
                f"Demo data is in after {time.monotonic() - started:.0f} s. "
                "Sign in as rep, head, teammate, outsider, marketing or admin; password: demo"
            )
        )
