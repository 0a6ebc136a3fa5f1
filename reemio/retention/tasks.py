"""What beat ticks off for retention."""

from celery import shared_task

from reemio.retention.clearing import clear_all


@shared_task(name="reemio.clear_old_data")
def clear_old_data() -> int:
    """Clear what is older than its time; return how many rows that were."""
    return sum(clear_all().values())
