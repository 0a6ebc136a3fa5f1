"""Clicks in e-mails, which no impression stands against, apart from the others; all open days are due for counting them."""

from django.db import migrations, models

DUE = """
INSERT INTO recommender.touched_parts (starts_at)
SELECT starts_at FROM recommender.analytics_productrollup WHERE grain <> 'week' AND clicks > 0 GROUP BY starts_at
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0016_mail_earnings'),
    ]

    operations = [
        migrations.AddField(
            model_name='productdetailrollup',
            name='mail_clicks',
            field=models.IntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name='productrollup',
            name='mail_clicks',
            field=models.BigIntegerField(db_default=0, help_text='Of the clicks, those in e-mails.'),
        ),
        migrations.RunSQL(DUE, migrations.RunSQL.noop),
    ]
