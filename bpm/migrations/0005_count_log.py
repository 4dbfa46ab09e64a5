"""How many entries the logs of present runs have."""

from django.db import migrations
from django.db.models import Count, OuterRef, Subquery


def count_entries(apps, schema_editor):
    instances = apps.get_model("bpm", "ProcessInstance").objects
    events = apps.get_model("bpm", "ProcessEvent").objects.filter(instance=OuterRef("pk")).order_by()
    counted = events.values("instance").annotate(count=Count("pk")).values("count")
    instances.filter(events__isnull=False).update(log_length=Subquery(counted))


class Migration(migrations.Migration):
    dependencies = [("bpm", "0004_suspended_runs")]

    operations = [migrations.RunPython(count_entries, migrations.RunPython.noop)]
