"""Deals in the company's currency are worth their amount; the others are counted by a job once a day."""

from django.conf import settings
from django.db import migrations
from django.db.models import F


def count(apps, schema_editor):
    company = apps.get_model("people", "Company").objects.first()
    own = company.currency if company else settings.CRM_CURRENCY
    apps.get_model("deals", "Deal").objects.filter(currency=own).update(worth=F("amount"))


class Migration(migrations.Migration):
    dependencies = [("deals", "0006_worth"), ("people", "0006_company")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
