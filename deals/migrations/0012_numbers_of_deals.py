"""Deals without a number get one, a thousand at a time; those that have one keep it."""

from django.db import migrations

from crm.people.folding import fold

SLICE = 1000


def number(apps, schema_editor):
    deals = apps.get_model("deals", "Deal")._base_manager
    last = 0
    while rows := list(
        deals.filter(number=None, pk__gt=last).select_related("counterparty").order_by("pk")[:SLICE]
    ):
        for deal in rows:
            deal.number = f"{deal.created_at.year}/{deal.pk:05d}"
            deal.search_text = fold(f"{deal.name} {deal.number} {deal.counterparty.name}")
        deals.bulk_update(rows, ["number", "search_text"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("deals", "0011_patterns_of_numbers"), ("counterparties", "0001_initial")]

    operations = [migrations.RunPython(number, migrations.RunPython.noop)]
