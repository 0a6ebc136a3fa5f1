"""Counting mails by day: their tables, and the triggers that note what is due."""

from django.db import migrations, models

CREATE = """
CREATE FUNCTION recommender.touch_mails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_mails (starts_at) SELECT DISTINCT date_bin('5 minutes', planned_at, '2000-01-01 00:00+00') FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_new_mails AFTER INSERT ON recommender.campaigns_outboxmessage
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_mails();
CREATE TRIGGER touch_changed_mails AFTER UPDATE ON recommender.campaigns_outboxmessage
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_mails();

CREATE FUNCTION recommender.touch_told_mails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO recommender.touched_mails (starts_at)
    SELECT DISTINCT date_bin('5 minutes', m.planned_at, '2000-01-01 00:00+00') FROM changed
    JOIN recommender.campaigns_outboxmessage m ON m.id = changed.message_id;
    RETURN NULL;
END $$;
CREATE TRIGGER touch_told_mails AFTER INSERT ON recommender.campaigns_messageevent
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_told_mails();
CREATE TRIGGER touch_retold_mails AFTER UPDATE ON recommender.campaigns_messageevent
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION recommender.touch_told_mails();

INSERT INTO recommender.touched_mails (starts_at)
SELECT DISTINCT date_bin('5 minutes', planned_at, '2000-01-01 00:00+00') FROM recommender.campaigns_outboxmessage;
"""
DROP = """
DROP TRIGGER touch_retold_mails ON recommender.campaigns_messageevent;
DROP TRIGGER touch_told_mails ON recommender.campaigns_messageevent;
DROP TRIGGER touch_changed_mails ON recommender.campaigns_outboxmessage;
DROP TRIGGER touch_new_mails ON recommender.campaigns_outboxmessage;
DROP FUNCTION recommender.touch_told_mails();
DROP FUNCTION recommender.touch_mails();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('analytics', '0010_out_of_stock_index'),
    ]

    operations = [
        migrations.CreateModel(
            name='MailReasonRollup',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'kind', 'reason', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('kind', models.CharField(max_length=24)),
                ('reason', models.CharField(max_length=32)),
                ('messages', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='MailRollup',
            fields=[
                ('pk', models.CompositePrimaryKey('day', 'kind', 'run', 'arm', blank=True, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('kind', models.CharField(help_text='The campaign.', max_length=24)),
                ('run', models.CharField(help_text='The occasion: a week, a product that is back; of carts, the day.', max_length=100)),
                ('arm', models.CharField(max_length=1)),
                ('planned', models.BigIntegerField()),
                ('skipped', models.BigIntegerField()),
                ('sent', models.BigIntegerField()),
                ('unknown', models.BigIntegerField()),
                ('other', models.BigIntegerField(help_text='Failed, too late, or called off.')),
                ('would_send', models.BigIntegerField()),
                ('delivered', models.BigIntegerField()),
                ('bounced', models.BigIntegerField()),
                ('complained', models.BigIntegerField()),
                ('unsubscribed', models.BigIntegerField()),
                ('clicked', models.BigIntegerField(help_text='Mails that a person clicked in.')),
                ('clicks', models.BigIntegerField(help_text='All clicks, of people and machines.')),
                ('machine_clicks', models.BigIntegerField(help_text='Of those, by machines: scanners and previews.')),
            ],
        ),
        migrations.CreateModel(
            name='TouchedMail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'db_table': 'touched_mails',
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
