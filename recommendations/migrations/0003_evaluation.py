"""Runs of `manage.py evaluate`, kept for the admin."""


import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recommendations', '0002_schedules'),
    ]

    operations = [
        migrations.CreateModel(
            name='Evaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('as_of', models.DateTimeField(help_text='The lists knew nothing that happened at or after this moment.')),
                ('model_version', models.IntegerField(help_text='The number of the model version that answered.')),
                ('settings', models.JSONField(default=dict, help_text='How each placement scored.')),
                ('seed', models.BigIntegerField()),
                ('seconds', models.FloatField(help_text='How long the run took, training included.')),
                ('results', models.JSONField(help_text='The report, as in its JSON file.')),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
    ]
