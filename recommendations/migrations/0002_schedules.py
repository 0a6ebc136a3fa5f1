"""Beat's ticks for the engine: folding every few seconds, training every night. Seeded once; the admin may change them."""

from django.db import migrations


def seed(apps, schema_editor):
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    often, _ = Interval.objects.get_or_create(every=5, period="seconds")
    nightly, _ = Crontab.objects.get_or_create(minute="30", hour="3", timezone="UTC")
    Task.objects.get_or_create(
        name="Fold fresh events into tastes and popularity", defaults={"task": "recommendations.fold", "interval": often}
    )
    Task.objects.get_or_create(
        name="Train a new model version", defaults={"task": "recommendations.train_nightly", "crontab": nightly}
    )


def unseed(apps, schema_editor):
    names = ["recommendations.fold", "recommendations.train_nightly"]
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task__in=names).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
