"""manage.py bench_web_form --url URL --user LOGIN: what becomes of posts when many visitors send a form at once."""

from __future__ import annotations

import json
import time
from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from crm.people.models import User
from leads.models import Lead
from leads.web_forms.guard import QUICKEST, token_name
from leads.web_forms.load import Answer, fill_forms, send_all
from leads.web_forms.models import FormSubmission, WebForm, WebFormField

Status = FormSubmission.Status


class Command(BaseCommand):
    help = (
        "Posts a form of its own to the running product, from so many addresses of the loopback network that the "
        "form's limit for each holds, and says what was stored. Run it with the product's environment: it opens the "
        "forms itself, with the product's key, and looks into its database. Everything it made stays there."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument(
            "--url", required=True, help="where the product answers, such as http://127.0.0.1:8000"
        )
        parser.add_argument("--user", required=True, help="login of the author of the form")
        parser.add_argument("--rate", type=float, default=50, help="posts a second")
        parser.add_argument("--seconds", type=float, default=60)
        parser.add_argument("--patience", type=float, default=600, help="seconds to wait for the leads")
        parser.add_argument(
            "--pause",
            type=int,
            nargs="*",
            default=[],
            help="processes (broker, worker) to halt in the middle third",
        )
        parser.add_argument(
            "--kill", type=int, nargs="*", default=[], help="processes to kill after the first third"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args, url, user, rate, seconds, patience, pause, kill, **options) -> None:
        author = User.objects.filter(username=user, is_active=True).first()
        if author is None:
            raise CommandError(f"There is no active user {user!r}.")
        form = WebForm.objects.create(name="Bench", author=author)
        for place, name in enumerate(("company", "email")):
            WebFormField.objects.create(form=form, field=name, position=place)
        posts = fill_forms(form, rate=rate, seconds=seconds, seed=form.key)
        time.sleep(QUICKEST.total_seconds())
        answers = send_all(f"{url.rstrip('/')}{form.get_absolute_url()}", posts, paused=pause, killed=kill)
        found = {**_answered(answers), **_stored(form, answers), **_became_leads(form, patience)}
        WebForm.objects.filter(pk=form.pk).update(is_active=False)
        self.stdout.write(json.dumps(found) if options["json"] else _text(found))
        if found["lost"] or found["doubled"] or found["leads"] + found["held"] != found["stored"]:
            raise CommandError("Something was lost or stands twice; see above.")


def _answered(answers: list[Answer]) -> dict:
    """Counts by status, and how long the answers took."""
    took = sorted(answer.seconds for answer in answers)
    statuses = Counter(answer.status for answer in answers)
    return {
        "posts": len(answers),
        "answers": {str(status): count for status, count in sorted(statuses.items())},
        "median_ms": round(1000 * took[len(took) // 2]),
        "p95_ms": round(1000 * took[int(len(took) * 0.95)]),
        "slowest_ms": round(1000 * took[-1]),
    }


def _stored(form: WebForm, answers: list[Answer]) -> dict:
    """`lost`: accepted and not there. `doubled`: there more than once."""
    accepted = {token_name(answer.post.token) for answer in answers if 200 <= answer.status < 300}
    rows = Counter(FormSubmission.objects.filter(form=form).values_list("token", flat=True))
    return {
        "accepted": len(accepted),
        "stored": len(rows),
        "lost": len(accepted - set(rows)),
        "doubled": sum(count > 1 for count in rows.values()),
        "held": FormSubmission.objects.filter(form=form, status=Status.HELD).count(),
    }


def _became_leads(form: WebForm, patience: float) -> dict:
    """How long the worker took for the rest, and whether each post is one lead."""
    begun = time.monotonic()
    waiting = FormSubmission.objects.filter(form=form, status=Status.RECEIVED)
    while waiting.exists() and time.monotonic() - begun < patience:
        time.sleep(1)
    leads = Lead.objects.filter(origin__form=form)
    return {"leads": leads.count(), "waiting": waiting.count(), "leads_s": round(time.monotonic() - begun, 1)}


def _text(found: dict) -> str:
    return " · ".join(f"{name}: {value}" for name, value in found.items())
