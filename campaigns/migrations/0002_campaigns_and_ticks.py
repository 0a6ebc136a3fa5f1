"""The four campaigns, and beat's ticks for them: intervals in UTC without arguments. Afterwards they are the admin's."""

from django.db import migrations

KINDS = ["cart_abandonment", "new_products", "weekly_digest", "back_in_stock"]
# A tick that no worker took before the next one is dropped: the next one does the same.
TICKS = [
    ("campaigns: plan abandoned carts", "campaigns.plan_abandoned_carts", 300),
    ("campaigns: plan new products", "campaigns.plan_new_products", 300),
    ("campaigns: plan the weekly digest", "campaigns.plan_weekly_digest", 300),
    ("campaigns: plan back in stock", "campaigns.plan_back_in_stock", 60),
    ("campaigns: send what is due", "campaigns.send", 10),
    ("campaigns: put right what was left behind", "campaigns.reap", 60),
    ("campaigns: apply events", "campaigns.apply_events", 10),
    ("campaigns: forget what is old", "campaigns.forget", 3600),
]


def seed(apps, schema_editor):
    """Add what is not there yet."""
    Campaign = apps.get_model("campaigns", "Campaign")
    Campaign.objects.bulk_create([Campaign(kind=kind) for kind in KINDS], ignore_conflicts=True)
    Interval = apps.get_model("django_celery_beat", "IntervalSchedule")
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    for name, task, seconds in TICKS:
        interval = Interval.objects.filter(every=seconds, period="seconds").first()
        interval = interval or Interval.objects.create(every=seconds, period="seconds")
        Task.objects.get_or_create(
            name=name, defaults={"task": task, "interval": interval, "expire_seconds": seconds}
        )


def unseed(apps, schema_editor):
    """Remove the ticks; intervals may serve others."""
    Task = apps.get_model("django_celery_beat", "PeriodicTask")
    Task.objects.filter(name__in=[name for name, _, _ in TICKS]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0001_initial"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]
    operations = [migrations.RunPython(seed, unseed)]
