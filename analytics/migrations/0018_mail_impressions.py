"""Impressions of e-mails apart from the others, for shops that report them; 0017 has made all open days due."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0017_mail_clicks'),
    ]

    operations = [
        migrations.AddField(
            model_name='productdetailrollup',
            name='mail_impressions',
            field=models.IntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name='productrollup',
            name='mail_impressions',
            field=models.BigIntegerField(db_default=0, help_text='Of the impressions, those of e-mails.'),
        ),
    ]
