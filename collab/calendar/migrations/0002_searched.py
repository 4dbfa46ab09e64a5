"""Activities are found by fragments of what was planned, done or said."""

from django.db import migrations, models

from crm.people.folding import fold, sort_key

BATCH = 2000


def fill(apps, schema_editor):
    activity = apps.get_model("collab_calendar", "Activity")
    waiting = []
    for row in activity.objects.only("subject", "place", "description", "result").iterator(BATCH):
        parts = (row.subject, row.place, row.description, row.result)
        row.search_text = fold(" ".join(part for part in parts if part))
        row.sort_key = sort_key(row.subject)[:200]
        waiting.append(row)
        if len(waiting) == BATCH:
            activity.objects.bulk_update(waiting, ["search_text", "sort_key"], batch_size=200)
            waiting = []
    activity.objects.bulk_update(waiting, ["search_text", "sort_key"], batch_size=200)


class Migration(migrations.Migration):
    dependencies = [("collab_calendar", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="activity",
            name="search_text",
            field=models.TextField(default="", editable=False),
        ),
        migrations.AddField(
            model_name="activity",
            name="sort_key",
            field=models.CharField(db_index=True, default="", editable=False, max_length=200),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
