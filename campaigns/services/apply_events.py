"""Draws the consequences of what providers told: state and suppression. Events come repeated, late, out of order."""

from datetime import datetime

import structlog
from django.db import transaction

from campaigns.models import MessageEvent, OutboxMessage, Suppression
from campaigns.services.suppress import suppress

log = structlog.get_logger(__name__)
Kind = MessageEvent.Kind
State = OutboxMessage.State
# Any of these proves that the provider had taken the message.
PROOFS = (Kind.DELIVERED, Kind.BOUNCED, Kind.DEFERRED, Kind.COMPLAINED, Kind.OPENED, Kind.CLICKED)
REASONS = {
    Kind.BOUNCED: Suppression.Reason.HARD_BOUNCE,
    Kind.REJECTED: Suppression.Reason.HARD_BOUNCE,
    Kind.COMPLAINED: Suppression.Reason.COMPLAINT,
    Kind.UNSUBSCRIBED: Suppression.Reason.UNSUBSCRIBE,
}
SOFT_BOUNCES_IN_A_ROW = 7


def apply_events(*, now: datetime, most: int = 500) -> int:
    """Apply the events that wait, and return how many. Clicks of our own links are settled elsewhere."""
    with transaction.atomic():
        events = list(
            MessageEvent.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(applied_at=None)
            .exclude(kind=Kind.CLICKED)
            .order_by("pk")[:most]
        )
        for event in events:
            _apply(event, now)
        MessageEvent.objects.filter(pk__in=[event.pk for event in events]).update(applied_at=now)
    return len(events)


def _apply(event: MessageEvent, now: datetime) -> None:
    message = OutboxMessage.objects.select_for_update(no_key=True).filter(public_id=event.message_ref).first()
    if message is None:
        return
    if event.message_id is None:
        MessageEvent.objects.filter(pk=event.pk).update(message=message)
    if event.kind in PROOFS:
        _settle(message, event)
    reason = REASONS.get(Kind(event.kind))
    if reason is not None and message.address_hash:
        suppress([message.address_hash], reason, message=message.public_id)
    if event.kind == Kind.REJECTED:
        OutboxMessage.objects.filter(pk=message.pk, state__in=[State.SENT, State.UNKNOWN, State.HANDING_OFF]).update(
            state=State.FAILED, detail="refused by the provider", finished_at=now, claim_token=None, lease_until=None
        )
    address = message.address_hash
    if event.kind == Kind.DEFERRED and address and soft_bounces(address) >= SOFT_BOUNCES_IN_A_ROW:
        suppress([address], Suppression.Reason.SOFT_BOUNCES, message=message.public_id)


def _settle(message: OutboxMessage, event: MessageEvent) -> None:
    """A message whose fate was unknown was sent, as it turns out."""
    OutboxMessage.objects.filter(pk=message.pk, state__in=[State.UNKNOWN, State.HANDING_OFF]).update(
        state=State.SENT, sent_at=event.occurred_at, finished_at=event.occurred_at, claim_token=None, lease_until=None,
        detail="settled by the provider's event",
    )  # fmt: skip


def soft_bounces(address_hash: str) -> int:
    """Return how many of the latest messages to an address, in a row, were put off and never delivered.

    Counted from the events themselves, so that their order of arrival does not matter.
    """
    latest = (
        OutboxMessage.objects.filter(address_hash=address_hash, state__in=OutboxMessage.REACHED)
        .order_by("-handed_off_at", "-pk")
        .prefetch_related("events")[: SOFT_BOUNCES_IN_A_ROW * 2]
    )
    row = 0
    for message in latest:
        kinds = {event.kind for event in message.events.all()}
        if Kind.DELIVERED in kinds or Kind.CLICKED in kinds:
            return row
        row += Kind.DEFERRED in kinds
    return row
