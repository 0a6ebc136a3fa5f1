"""Beat's ticks: counting three times a minute, and the last seven days once a night."""

from django.db import migrations

TASKS = ["analytics.roll_up", "analytics.recount"]


def seed(apps, schema_editor):
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    often, _ = Interval.objects.get_or_create(every=20, period="seconds")
    nightly, _ = Crontab.objects.get_or_create(minute="45", hour="2", timezone="UTC")
    # A tick that nobody could run before the next one is of no use: it expires.
    Task.objects.get_or_create(
        name="Count what happened",
        defaults={"task": "analytics.roll_up", "interval": often, "expire_seconds": 20},
    )
    Task.objects.get_or_create(
        name="Recount the last seven days", defaults={"task": "analytics.recount", "crontab": nightly}
    )


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task__in=TASKS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("analytics", "0003_triggers"),
        ("catalog", "0008_unavailability_trigger"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
