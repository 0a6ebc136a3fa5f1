"""What mails earned, by the day they were planned, by run and arm; all days are due for counting it."""

from django.db import migrations, models

DUE = """
INSERT INTO recommender.touched_mails (starts_at)
SELECT DISTINCT date_bin('5 minutes', planned_at, '2000-01-01 00:00+00') FROM recommender.campaigns_outboxmessage
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0015_details'),
    ]

    operations = [
        migrations.CreateModel(
            name='MailEarningsRollup',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'kind', 'run', 'arm', 'currency', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('kind', models.CharField(max_length=24)),
                ('run', models.CharField(max_length=100)),
                ('arm', models.CharField(max_length=1)),
                ('currency', models.CharField(max_length=3)),
                ('orders', models.BigIntegerField(help_text='Orders with a product that was clicked in one of these mails.')),
                ('direct_revenue', models.DecimalField(decimal_places=2, max_digits=24)),
                ('assisted_revenue', models.DecimalField(decimal_places=2, max_digits=24)),
            ],
        ),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
    ]
