"""Processes start when a call has ended or was missed as well."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bpm', '0009_startable_processes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='trigger',
            name='kind',
            field=models.CharField(choices=[('hand', 'by hand, from a card'), ('created', 'when a record is created'), ('won', 'when a deal is won'), ('lost', 'when a deal is lost'), ('call', 'when a call has ended'), ('missed', 'when a call was missed'), ('schedule', 'at set times'), ('message', 'by a message of another process')], max_length=10, verbose_name='starts'),
        ),
    ]
