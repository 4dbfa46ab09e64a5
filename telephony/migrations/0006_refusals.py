"""Posts that were refused are counted by the hour; the latest events of a connection are found by an index."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telephony', '0005_recording_rights'),
    ]

    operations = [
        migrations.CreateModel(
            name='Refusal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('hour', models.DateTimeField()),
                ('kind', models.CharField(choices=[('forged', 'wrong signature'), ('stale', 'signed too long ago, or the clocks differ'), ('malformed', 'not understood'), ('unready', 'the connection is not set up completely')], max_length=10)),
                ('count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'refused post',
                'verbose_name_plural': 'refused posts',
            },
        ),
        migrations.AddIndex(
            model_name='callevent',
            index=models.Index(fields=['connection', '-id'], name='latest_events'),
        ),
        migrations.AddField(
            model_name='refusal',
            name='connection',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusals', to='telephony.connection'),
        ),
        migrations.AddConstraint(
            model_name='refusal',
            constraint=models.UniqueConstraint(fields=('connection', 'hour', 'kind'), name='one_refusal_per_hour'),
        ),
    ]
