"""Beat's tick for measuring drift: every night, just before training begins anew."""

from django.db import migrations


def seed(apps, schema_editor):
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    nightly, _ = Crontab.objects.get_or_create(minute="10", hour="3", timezone="UTC")
    Task.objects.get_or_create(
        name="Measure how far incremental counts have drifted",
        defaults={"task": "recommendations.measure_drift", "crontab": nightly},
    )


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task="recommendations.measure_drift").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0008_fresh_pairs"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
