"""Recordings are fetched, kept for their time, held and purged."""

import django.db.models.deletion
import telephony.models.recordings
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('telephony', '0003_listener_lease'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RecordingHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('held_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'hold of recordings',
                'verbose_name_plural': 'holds of recordings',
            },
        ),
        migrations.AddField(
            model_name='recording',
            name='content_type',
            field=models.CharField(blank=True, max_length=20),
        ),
        migrations.AddField(
            model_name='recording',
            name='failure',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='recording',
            name='purged_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='recording',
            name='tries',
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='recording',
            name='content',
            field=models.FileField(blank=True, upload_to=telephony.models.recordings.stored_name),
        ),
        migrations.AlterField(
            model_name='recording',
            name='state',
            field=models.CharField(choices=[('waiting', 'to be fetched'), ('stored', 'stored'), ('failed', 'could not be fetched'), ('purged', 'deleted')], default='waiting', max_length=8),
        ),
        migrations.AddIndex(
            model_name='recording',
            index=models.Index(fields=['state', 'created_at'], name='recordings_by_age'),
        ),
        migrations.AddField(
            model_name='recordinghold',
            name='call',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='recording_hold', to='telephony.call'),
        ),
        migrations.AddField(
            model_name='recordinghold',
            name='held_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
    ]
