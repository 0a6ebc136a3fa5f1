"""Beat's two ticks for the catalogue. Seeded once and in UTC; afterwards they are the admin's to change."""

from django.db import migrations

EMBED = "catalog: embed missing products"
NIGHTLY = "catalog: nightly synchronisation"


def seed(apps, schema_editor):
    """Add the ticks, unless somebody has made them already."""
    IntervalSchedule = apps.get_model("django_celery_beat", "IntervalSchedule")
    CrontabSchedule = apps.get_model("django_celery_beat", "CrontabSchedule")
    PeriodicTask = apps.get_model("django_celery_beat", "PeriodicTask")
    often = IntervalSchedule.objects.filter(every=20, period="seconds").first()
    often = often or IntervalSchedule.objects.create(every=20, period="seconds")
    at_three = {"minute": "0", "hour": "3", "day_of_week": "*", "day_of_month": "*", "month_of_year": "*"}
    night = CrontabSchedule.objects.filter(timezone="UTC", **at_three).first()
    night = night or CrontabSchedule.objects.create(timezone="UTC", **at_three)
    PeriodicTask.objects.get_or_create(
        name=EMBED,
        # A tick that no worker took in time is dropped: the next one does the same.
        defaults={"task": "catalog.embed_missing_products", "interval": often, "expire_seconds": 20},
    )
    PeriodicTask.objects.get_or_create(
        name=NIGHTLY, defaults={"task": "catalog.sync_products_nightly", "crontab": night}
    )


def unseed(apps, schema_editor):
    """Remove the ticks; the schedules may serve others."""
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=[EMBED, NIGHTLY]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0003_text_and_stock_triggers"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
