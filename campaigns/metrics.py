"""What Prometheus is told of e-mail: what waits in the outbox, and for how long."""

from collections.abc import Mapping

from django.db.models import Count, Min
from django.utils import timezone

from campaigns.models import OutboxMessage

State = OutboxMessage.State
OPEN = (State.PLANNED, State.CLAIMED, State.HANDING_OFF)


def open_messages() -> Mapping[str, float]:
    """Return how many rows of the outbox are open, by state."""
    found = OutboxMessage.objects.filter(state__in=OPEN).order_by().values_list("state").annotate(count=Count("pk"))
    counts = dict(found)
    return {state.value: float(counts.get(state.value, 0)) for state in OPEN}


def oldest_due() -> float:
    """Return for how many seconds the oldest row that is due has waited."""
    oldest = OutboxMessage.objects.filter(state=State.PLANNED).aggregate(oldest=Min("due_at"))["oldest"]
    return max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0
