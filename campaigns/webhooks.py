"""Receives providers' events through anymail's signals: stores each once and returns; a task applies them.

anymail checks the secret and reads the provider's own form before this is called. What is stored holds no address.
"""

import hashlib
import uuid
from typing import Any

from anymail.signals import AnymailTrackingEvent, EventType
from django.utils import timezone

from campaigns.models import MessageEvent, OutboxMessage
from campaigns.rendering.mail import METADATA

Kind = MessageEvent.Kind
KINDS = {
    EventType.DELIVERED: Kind.DELIVERED,
    EventType.BOUNCED: Kind.BOUNCED,
    EventType.DEFERRED: Kind.DEFERRED,
    EventType.REJECTED: Kind.REJECTED,
    EventType.COMPLAINED: Kind.COMPLAINED,
    EventType.UNSUBSCRIBED: Kind.UNSUBSCRIBED,
}


def receive(sender: Any, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """Store the event, where it is one that matters and about a message of ours; a repeat is ignored."""
    kind = KINDS.get(event.event_type)
    ref = _our_id(event)
    if kind is None or ref is None:
        return
    happened = event.timestamp or timezone.now()
    named = str(event.event_id or f"{ref}:{kind}:{happened.timestamp():.0f}")
    stored = MessageEvent(
        message=OutboxMessage.objects.filter(public_id=ref).only("pk").first(),
        message_ref=ref,
        kind=kind,
        # The provider's name for the event, at a bounded length.
        key=f"{esp_name.lower()}:{hashlib.sha256(named.encode()).hexdigest()}",
        occurred_at=min(happened, timezone.now()),
        detail=str(event.reject_reason or "")[:64],
    )
    MessageEvent.objects.bulk_create([stored], ignore_conflicts=True)


def _our_id(event: AnymailTrackingEvent) -> uuid.UUID | None:
    """Return our own id of the message, which went along as metadata: it is known before the provider's answer is."""
    try:
        return uuid.UUID(str((event.metadata or {}).get(METADATA, "")))
    except ValueError:
        return None
