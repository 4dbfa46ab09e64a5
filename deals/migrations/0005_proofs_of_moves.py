"""A move may be held by several; a deal knows the last stage it reached through its gate."""

from django.db import migrations, models
from django.db.models import Exists, F, OuterRef, Q


def prove(apps, schema_editor):
    """Deals that stand where an override or an import put them are proven nowhere; the others where they stand."""
    deal = apps.get_model("deals", "Deal")
    transition = apps.get_model("deals", "StageTransition")
    here = transition.objects.filter(deal_id=OuterRef("pk"), to_stage_id=OuterRef("stage_id")).exclude(
        from_stage_id=F("to_stage_id")
    )
    past_the_gate = Q(cause="override") | Q(is_proven=False)
    deal.objects.exclude(Exists(here.filter(past_the_gate))).update(proven_stage_id=F("stage_id"))


class Migration(migrations.Migration):
    dependencies = [("deals", "0004_payments"), ("funnel", "0002_requirements")]

    operations = [
        migrations.AddField(
            model_name="deal",
            name="proven_stage",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="+",
                to="funnel.stage",
                verbose_name="proven stage",
            ),
        ),
        migrations.AddField(
            model_name="stagerequest", name="holders", field=models.JSONField(default=list)
        ),
        migrations.AddField(
            model_name="stagerequest", name="needed", field=models.PositiveSmallIntegerField(default=0)
        ),
        migrations.RunPython(prove, migrations.RunPython.noop, elidable=True),
    ]
