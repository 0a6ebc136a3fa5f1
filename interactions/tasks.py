"""What beat ticks off for `interactions`."""

from celery import shared_task

from interactions.services.inbox import take_in_inbox


@shared_task
def take_in_events() -> None:
    """Take in `public.events`. Two of them side by side take different rows."""
    take_in_inbox()
