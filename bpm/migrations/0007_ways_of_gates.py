"""A process guards the way into a stage or out of it, and may hold the move or only start with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bpm", "0006_triggers"), ("funnel", "0002_requirements")]

    operations = [
        migrations.RemoveConstraint(model_name="stagegate", name="one_gate_for_a_stage"),
        migrations.AddField(
            model_name="stagegate",
            name="way",
            field=models.CharField(
                choices=[("entry", "into the stage"), ("exit", "out of the stage")],
                default="entry",
                max_length=5,
                verbose_name="way",
            ),
        ),
        migrations.AlterField(
            model_name="stagegate",
            name="mode",
            field=models.CharField(
                choices=[
                    ("blocking", "the move waits for it"),
                    ("advisory", "the move happens, and the seller is reminded"),
                ],
                default="blocking",
                max_length=10,
                verbose_name="mode",
            ),
        ),
        migrations.AddConstraint(
            model_name="stagegate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_active", True)), fields=("stage", "way"), name="one_gate_for_a_way"
            ),
        ),
    ]
