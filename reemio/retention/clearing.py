"""The nightly clearing: each kind in bites, each bite a transaction of its own.

It may be killed at any line, run twice, and run beside itself: a bite takes rows that nobody else holds, and whatever
says how far it came is written with it. The next run goes on where this one ended.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from reemio.retention import kinds
from reemio.retention.models import Clearing

log = structlog.get_logger(__name__)

BITE = 5_000
# A backlog of years is worked off over some nights; beat's tick must not outlive REEMIO_TASK_TIME_LIMIT.
PATIENCE = timedelta(minutes=30)

# Clears up to so many rows older than a moment; returns how many, 0 where nothing is left (or nothing may go yet).
Clear = Callable[[datetime, int], int]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of data: how many days it is kept (0: for ever), and what takes a bite of it."""

    days: int
    clear: Clear


def all_kinds() -> Mapping[str, Kind]:
    """Return every kind by its name, in the order in which they are cleared."""
    return {
        "interactions": Kind(settings.REEMIO_KEEP_INTERACTIONS_DAYS, kinds.clear_interactions),
        "refunds": Kind(settings.REEMIO_KEEP_INTERACTIONS_DAYS, kinds.clear_refunds),
        "served lists": Kind(settings.REEMIO_KEEP_SERVED_LISTS_DAYS, kinds.clear_served_lists),
        "search texts": Kind(settings.REEMIO_KEEP_SEARCH_TEXTS_DAYS, kinds.clear_search_texts),
        "searched lists": Kind(settings.REEMIO_KEEP_SEARCH_TEXTS_DAYS, kinds.clear_searched_lists),
        "inbox": Kind(settings.REEMIO_KEEP_INBOX_DAYS, kinds.clear_inbox),
        "guests’ tastes": Kind(settings.REEMIO_KEEP_GUEST_TASTES_DAYS, kinds.clear_guest_tastes),
        "synchronisations": Kind(settings.REEMIO_KEEP_SYNCS_DAYS, kinds.clear_syncs),
        "audit trail": Kind(settings.REEMIO_KEEP_AUDIT_DAYS, kinds.clear_audit),
        "admin log": Kind(settings.REEMIO_KEEP_AUDIT_DAYS, kinds.clear_admin_log),
        "ended sessions": Kind(1, kinds.clear_sessions),
    }


def days_of(name: str) -> int:
    """Return how many days a kind is kept; 0 means for ever, or that there is no such kind."""
    kind = all_kinds().get(name)
    return kind.days if kind else 0


def clear_all(*, now: datetime | None = None, patience: timedelta = PATIENCE) -> Mapping[str, int]:
    """Clear every kind that is not kept for ever; return how many rows went, by kind.

    A kind that is not done in its part of the time is left for the next run, so that none starves the others.
    """
    now = now or timezone.now()
    due = {name: kind for name, kind in all_kinds().items() if kind.days}
    end = time.monotonic() + patience.total_seconds()
    cleared: dict[str, int] = {}
    for place, (name, kind) in enumerate(due.items()):
        share = (end - time.monotonic()) / (len(due) - place)
        cleared[name] = _clear(name, kind, now - timedelta(days=kind.days), until=time.monotonic() + share)
    log.info("old_data_cleared", **{name.replace(" ", "_"): count for name, count in cleared.items() if count})
    return cleared


def _clear(name: str, kind: Kind, before: datetime, *, until: float) -> int:
    Clearing.objects.get_or_create(kind=name)
    total = 0
    while True:
        with transaction.atomic():
            count = kind.clear(before, BITE)
            row = Clearing.objects.filter(kind=name)
            row.update(cleared=F("cleared") + count, finished_at=None if count else timezone.now())
        total += count
        if not count or time.monotonic() > until:
            return total
