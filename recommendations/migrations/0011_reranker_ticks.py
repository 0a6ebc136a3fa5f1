"""Beat's ticks for the cross-encoder: scoring pairs that are due every hour, training every week."""

from django.db import migrations

TASKS = ["recommendations.train_reranker", "recommendations.score_pairs"]


def seed(apps, schema_editor):
    Crontab = apps.get_model("django_celery_beat", "CrontabSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    weekly, _ = Crontab.objects.get_or_create(minute="30", hour="4", day_of_week="0", timezone="UTC")
    hourly, _ = Crontab.objects.get_or_create(minute="50", timezone="UTC")
    Task.objects.get_or_create(name="Train a cross-encoder", defaults={"task": TASKS[0], "crontab": weekly})
    Task.objects.get_or_create(name="Score pairs that are due", defaults={"task": TASKS[1], "crontab": hourly})


def unseed(apps, schema_editor):
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(task__in=TASKS).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("recommendations", "0010_rerankers"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
