"""The demo of a whole company is the same on every run."""

from datetime import date

import pytest
from django.db import transaction

from counterparties.models import Contact, Counterparty
from crm.web.demo import Demo, steps
from deals.models import Deal, StageTransition
from leads.models import Lead

pytestmark = pytest.mark.django_db


def fingerprint() -> list:
    demo = Demo(scale="large", today=date.today(), say=lambda *words, **options: None, part=1 / 10_000)
    with transaction.atomic():
        for step in steps("large"):
            if step.order < 90:
                step.load(demo)
        rows = [
            list(model.objects.order_by("pk").values_list("search_text", "created_at", "owner__username"))
            for model in (Counterparty, Contact, Lead, Deal)
        ]
        rows.append(list(StageTransition.objects.order_by("pk").values_list("at", "amount", "to_status")))
        transaction.set_rollback(True)
    return rows


def test_two_runs_make_the_same_rows():
    first = fingerprint()
    assert sum(map(len, first)) > 50
    assert fingerprint() == first
