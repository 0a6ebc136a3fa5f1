"""The tick of the inbox: every ten seconds, by beat."""

from django.db import migrations

NAME = "Take in public.events"


def seed(apps, schema_editor):
    """Make the tick, unless somebody has made it."""
    interval, _ = apps.get_model("django_celery_beat", "IntervalSchedule").objects.get_or_create(
        every=10, period="seconds"
    )
    # A tick that nobody could run before the next one is of no use: it expires.
    defaults = {"task": "interactions.tasks.take_in_events", "interval": interval, "expire_seconds": 10}
    apps.get_model("django_celery_beat", "PeriodicTask").objects.get_or_create(name=NAME, defaults=defaults)


def remove(apps, schema_editor):
    """Take the tick away; the interval may be others', too."""
    apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name=NAME).delete()


class Migration(migrations.Migration):
    dependencies = [("interactions", "0002_inbox"), ("django_celery_beat", "0019_alter_periodictasks_options")]
    operations = [migrations.RunPython(seed, remove)]
