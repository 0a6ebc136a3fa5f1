"""Visits by device, and by the lists they met. What was counted before is kept, without either."""

import django.contrib.postgres.fields
from django.db import migrations, models


COPY = """
INSERT INTO recommender.analytics_visitrollup (grain, starts_at, device, placement, strategy, segment, visits, viewed, saw,
    clicked, carted, purchased)
SELECT grain, starts_at, '', '', '', segment, visits, viewed, saw, clicked, carted, purchased
FROM recommender.analytics_funnelrollup
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0012_deciding'),
    ]

    operations = [
        migrations.CreateModel(
            name='VisitRollup',
            fields=[
                ('grain', models.CharField(choices=[('part', 'Part'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('pk', models.CompositePrimaryKey('grain', 'starts_at', 'device', 'placement', 'strategy', 'segment', blank=True, editable=False, primary_key=True, serialize=False)),
                ('device', models.CharField(max_length=16)),
                ('placement', models.CharField(max_length=32)),
                ('strategy', models.CharField(max_length=16)),
                ('segment', models.CharField(choices=[('none', 'None'), ('saw', 'Saw'), ('clicked', 'Clicked')], max_length=8)),
                ('visits', models.BigIntegerField()),
                ('viewed', models.BigIntegerField()),
                ('saw', models.BigIntegerField()),
                ('clicked', models.BigIntegerField()),
                ('carted', models.BigIntegerField()),
                ('purchased', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RunSQL(COPY, migrations.RunSQL.noop),
        # The version before writes the table while it still runs: a later one drops it.
        migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("FunnelRollup")]),
        migrations.AddField(
            model_name='visit',
            name='device',
            field=models.CharField(blank=True, db_default='', max_length=16),
        ),
        migrations.AddField(
            model_name='visit',
            name='met',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), db_default=[], default=list, help_text='“placement/strategy”, with a “!” if clicked.', size=None),
        ),
    ]
