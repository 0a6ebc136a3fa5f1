"""What beat ticks off for `analytics`. Tasks take no arguments and may run at any time, twice, and side by side."""

from celery import shared_task

from analytics.experiments import count_due
from analytics.rollups.run import recount_recent, roll_up


@shared_task(name="analytics.roll_up")
def count() -> int:
    """Attribute and count what is due, experiments too; return how many hours were recounted."""
    hours = roll_up().hours
    count_due()
    return hours


@shared_task(name="analytics.recount")
def recount() -> int:
    """Count the last seven days anew; return how many hours were recounted."""
    return recount_recent().hours
