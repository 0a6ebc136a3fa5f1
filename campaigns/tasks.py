"""What beat wakes up: each task carries no arguments, asks the database what is due, and may run 0, 1 or n times."""

import structlog
from celery import shared_task
from django.utils import timezone

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.sending.reaper import reap
from campaigns.sending.sender import send_due
from campaigns.services.apply_events import apply_events
from campaigns.services.clicks import settle_clicks
from campaigns.services.forget import forget_old
from campaigns.services.watch import pause_the_harmful

log = structlog.get_logger(__name__)


@shared_task(name="campaigns.plan_abandoned_carts")
def plan_abandoned_carts() -> None:
    """Look for carts that were left."""
    _plan(Kind.CART_ABANDONMENT)


@shared_task(name="campaigns.plan_new_products")
def plan_new_products() -> None:
    """Look for people whose nine o'clock has come, and whom something new may interest."""
    _plan(Kind.NEW_PRODUCTS)


@shared_task(name="campaigns.plan_weekly_digest")
def plan_weekly_digest() -> None:
    """Look for people whose Sunday has reached ten o'clock."""
    _plan(Kind.WEEKLY_DIGEST)


@shared_task(name="campaigns.plan_back_in_stock")
def plan_back_in_stock() -> None:
    """Look for stocks that rose from 0 and held."""
    _plan(Kind.BACK_IN_STOCK)


@shared_task(name="campaigns.send")
def send() -> None:
    """Send what is due."""
    handed = send_due()
    if handed:
        log.info("mails_sent", handed=handed)


@shared_task(name="campaigns.reap")
def reap_outbox() -> None:
    """Put right what dead workers and passed time left behind."""
    reaped = reap(now=timezone.now())
    if reaped.parked:
        log.warning("mails_parked", parked=reaped.parked)


def _plan(kind: str) -> None:
    planned = planners.plan(kind, now=timezone.now())
    if planned:
        log.info("mails_planned", campaign=str(kind), planned=planned)


@shared_task(name="campaigns.apply_events")
def apply_what_happened() -> None:
    """Draw the consequences of providers' events and of clicks; pause what does harm."""
    applied = apply_events(now=timezone.now())
    settle_clicks(now=timezone.now())
    if applied:
        pause_the_harmful(now=timezone.now())


@shared_task(name="campaigns.forget")
def forget() -> None:
    """Delete what is older than its time."""
    forget_old(now=timezone.now())
