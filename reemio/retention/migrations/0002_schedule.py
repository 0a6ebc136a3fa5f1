"""Beat's tick: clear what is older than its time once a night, after the figures were counted anew."""

from django.db import migrations

TASK = "reemio.clear_old_data"


def seed(apps, schema_editor):
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    nightly, _ = Crontab.objects.get_or_create(minute="15", hour="4", timezone="UTC")
    Task.objects.get_or_create(name="Clear what is older than its time", defaults={"task": TASK, "crontab": nightly})


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task=TASK).delete()


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_initial"), ("django_celery_beat", "0019_alter_periodictasks_options")]
    operations = [migrations.RunPython(seed, unseed)]
