"""Details of products, sales and searches: by placement, strategy and device. What was counted before is due again."""

from django.db import migrations, models

# The next roll-up counts anew whatever days are not closed, in the grains that are kept of them.
DUE = """
INSERT INTO recommender.touched_parts (starts_at)
SELECT starts_at FROM recommender.analytics_eventrollup WHERE grain <> 'week' UNION
SELECT starts_at FROM recommender.analytics_recommendationrollup WHERE grain <> 'week'
"""
# The key carries what rankings add up, so that they need not look at the rows.
KEY = """
ALTER TABLE recommender.analytics_productdetailrollup DROP CONSTRAINT analytics_productdetailrollup_pkey,
    ADD PRIMARY KEY (grain, starts_at, placement, strategy, device, product_id)
    INCLUDE (views, recommended, impressions, clicks, out_of_stock)
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0014_rewritten'),
    ]

    operations = [
        migrations.CreateModel(
            name='ProductDetailRollup',
            fields=[
                ('grain', models.CharField(choices=[('part', 'Part'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('pk', models.CompositePrimaryKey('grain', 'starts_at', 'placement', 'strategy', 'device', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('placement', models.CharField(max_length=32)),
                ('strategy', models.CharField(max_length=16)),
                ('device', models.CharField(max_length=16)),
                ('product_id', models.CharField(max_length=128)),
                ('views', models.IntegerField()),
                ('cart_adds', models.IntegerField()),
                ('recommended', models.IntegerField()),
                ('impressions', models.IntegerField()),
                ('clicks', models.IntegerField()),
                ('out_of_stock', models.IntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RunSQL(KEY, migrations.RunSQL.noop),
        migrations.CreateModel(
            name='SalesDetailRollup',
            fields=[
                ('grain', models.CharField(choices=[('part', 'Part'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('pk', models.CompositePrimaryKey('grain', 'starts_at', 'placement', 'strategy', 'device', 'product_id', 'currency', blank=True, editable=False, primary_key=True, serialize=False)),
                ('placement', models.CharField(max_length=32)),
                ('strategy', models.CharField(max_length=16)),
                ('device', models.CharField(max_length=16)),
                ('product_id', models.CharField(max_length=128)),
                ('currency', models.CharField(max_length=3)),
                ('purchases', models.BigIntegerField()),
                ('units', models.BigIntegerField()),
                ('revenue', models.DecimalField(decimal_places=2, max_digits=24)),
                ('conversions', models.BigIntegerField()),
                ('direct_revenue', models.DecimalField(decimal_places=2, max_digits=24)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SearchClickDetailRollup',
            fields=[
                ('grain', models.CharField(choices=[('part', 'Part'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('pk', models.CompositePrimaryKey('grain', 'starts_at', 'device', 'query', 'product_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('device', models.CharField(max_length=16)),
                ('query', models.CharField(max_length=100)),
                ('product_id', models.CharField(max_length=128)),
                ('clicks', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SearchDetailRollup',
            fields=[
                ('grain', models.CharField(choices=[('part', 'Part'), ('hour', 'Hour'), ('day', 'Day'), ('week', 'Week')], max_length=4)),
                ('starts_at', models.DateTimeField()),
                ('pk', models.CompositePrimaryKey('grain', 'starts_at', 'device', 'query', blank=True, editable=False, primary_key=True, serialize=False)),
                ('device', models.CharField(max_length=16)),
                ('query', models.CharField(max_length=100)),
                ('searches', models.BigIntegerField()),
                ('without_results', models.BigIntegerField()),
                ('clicks', models.BigIntegerField()),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
    ]
