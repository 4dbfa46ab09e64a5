"""Moves that wait already get the moment from which they have waited too long."""

from datetime import datetime, timedelta

from django.db import migrations

PATIENCE = timedelta(days=3)


def fill(apps, schema_editor):
    requests = apps.get_model("deals", "StageRequest").objects
    for request in requests.filter(status="pending", due_at=None).iterator():
        dues = [datetime.fromisoformat(wait["due"]) for wait in request.waits if wait.get("due")]
        requests.filter(pk=request.pk).update(due_at=min(dues, default=request.requested_at + PATIENCE))


class Migration(migrations.Migration):
    dependencies = [("deals", "0015_when_moves_are_due")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
