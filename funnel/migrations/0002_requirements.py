"""What stages require of deals, and which share of them is expected to go on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('funnel', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='stage',
            name='expected_conversion',
            field=models.PositiveSmallIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(100)], verbose_name='expected conversion to the next stage, %'),
        ),
        migrations.CreateModel(
            name='Requirement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('way', models.CharField(choices=[('entry', 'into the stage'), ('exit', 'out of the stage')], default='entry', max_length=5, verbose_name='way')),
                ('mode', models.CharField(choices=[('blocking', 'the move waits for it'), ('advisory', 'the move happens, and the seller is reminded')], default='blocking', max_length=10, verbose_name='mode')),
                ('kind', models.CharField(max_length=40, verbose_name='what is required')),
                ('options', models.JSONField(default=dict)),
                ('stage', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='requirements', to='funnel.stage', verbose_name='stage')),
            ],
            options={
                'verbose_name': 'requirement of a stage',
                'verbose_name_plural': 'requirements of stages',
                'ordering': ['stage', 'id'],
            },
        ),
    ]
