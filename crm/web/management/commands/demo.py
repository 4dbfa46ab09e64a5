"""`manage.py demo [--scale small]`: fills an empty installation with people and records to try everything on."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from crm.people.models import User
from crm.web.demo import Demo, steps


class Command(BaseCommand):
    help = "Fills an empty database with demo users (password: demo) and records."

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=["small"], default="small")

    def handle(self, *args, scale: str, **options):
        if not settings.DEMO:
            raise CommandError(
                "Demo users have a known password. Set CRM_DEMO=1 to say that this is no real installation."
            )
        if User.objects.exists():
            raise CommandError("The database already has users: demo data goes into an empty one only.")
        demo = Demo(scale=scale, today=timezone.localdate(), say=self.stdout.write)
        with transaction.atomic():
            for step in steps():
                self.stdout.write(f"  demo: {step.name.removesuffix('.load')}", ending="\n")
                step.load(demo)
        self.stdout.write(
            self.style.SUCCESS(
                "Demo data is in. Sign in as rep, head, teammate, outsider, marketing or admin; password: demo"
            )
        )
