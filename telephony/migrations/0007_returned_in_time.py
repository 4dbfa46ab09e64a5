"""Missed calls are returned in working time, or a head hears of it."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telephony', '0006_refusals'),
    ]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='return_minutes',
            field=models.PositiveIntegerField(default=60, help_text='Then the head of whoever has to call back is told. 0: nobody is.', validators=[django.core.validators.MaxValueValidator(10000)], verbose_name='missed calls are returned within (minutes of working time)'),
        ),
        migrations.AddField(
            model_name='missedcall',
            name='escalated_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
