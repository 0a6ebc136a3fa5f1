"""Clicks: stored when they come, judged when the dust has settled, and told to the engine where a person clicked.

A machine's click is kept and flagged: by `HEAD`, by the link that no person sees, by three links of one message within
ten seconds (all of them, also those that came before), or within five seconds of the delivery.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from campaigns.links import home
from campaigns.models import MessageEvent, OutboxMessage
from campaigns.tokens import HONEYPOT
from interactions.events import NewInteraction
from interactions.services.record import record_interactions

BURST = timedelta(seconds=10)
BURST_LINKS = 3
TOO_SOON = timedelta(seconds=5)
# After this long, no later click can make an earlier one part of a burst.
SETTLED = BURST + timedelta(seconds=2)
CLICKED = MessageEvent.Kind.CLICKED


def note_click(public_id: uuid.UUID, link: int, *, by_head: bool, now: datetime | None = None) -> str | None:
    """Store a click, and return the target that is stored for the link; None where there is none."""
    message = OutboxMessage.objects.filter(public_id=public_id).only("pk", "content").first()
    if message is None:
        return None
    links = message.content.get("links", [])
    if link != HONEYPOT and link >= len(links):
        return None
    machine = "head" if by_head else "honeypot" if link == HONEYPOT else ""
    MessageEvent.objects.create(
        message=message, message_ref=public_id, kind=CLICKED, key=f"click:{uuid.uuid4()}", link=link,
        occurred_at=now or timezone.now(), machine=machine,
    )  # fmt: skip
    return home() if link == HONEYPOT else str(links[link]["target"])


def settle_clicks(*, now: datetime, most: int = 500) -> int:
    """Judge the clicks that no later one can change, and record people's as `recommendation_click`; return how many.

    One transaction: a click is applied with its interaction, which has an id of its own, so that neither happens twice.
    """
    with transaction.atomic():
        events = list(
            MessageEvent.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("message")
            .filter(kind=CLICKED, applied_at=None, occurred_at__lte=now - SETTLED)
            .order_by("pk")[:most]
        )
        for event in events:
            event.machine = event.machine or _machine(event)
            event.applied_at = now
        MessageEvent.objects.bulk_update(events, ["machine", "applied_at"])
        record_interactions([found for event in events if (found := _interaction(event)) is not None])
    return len(events)


def _machine(event: MessageEvent) -> str:
    """Return why a click is no person's, or nothing."""
    message = event.message
    if message is None:
        return "no_message"
    delivered = (
        message.events.filter(kind=MessageEvent.Kind.DELIVERED).order_by("occurred_at").values_list("occurred_at")
    ).first()
    left = delivered[0] if delivered else message.sent_at or message.handed_off_at
    if left is not None and event.occurred_at - left < TOO_SOON:
        return "too_soon"
    near = list(
        message.events.filter(
            kind=CLICKED, occurred_at__gt=event.occurred_at - BURST, occurred_at__lt=event.occurred_at + BURST
        ).values_list("occurred_at", "link", "machine")
    )
    if any(link == HONEYPOT for _, link, _ in near):
        return "honeypot"
    return "burst" if _is_burst(event.occurred_at, [(moment, link) for moment, link, _ in near]) else ""


def _is_burst(moment: datetime, near: Sequence[tuple[datetime, int | None]]) -> bool:
    """Tell whether some ten seconds that hold `moment` hold three different links."""
    for begin, _ in near:
        if begin <= moment < begin + BURST:
            links = {link for other, link in near if begin <= other < begin + BURST}
            if len(links) >= BURST_LINKS:
                return True
    return False


def _interaction(event: MessageEvent) -> NewInteraction | None:
    """Return what a person's click tells the engine; None for machines, and for links that are no product's."""
    message = event.message
    if event.machine or message is None or not message.user_id or event.link is None:
        return None
    link = message.content["links"][event.link]
    if not link["product_id"] or message.request_id is None:
        return None
    return NewInteraction(
        "recommendation_click",
        event.occurred_at,
        user_id=message.user_id,
        product_id=link["product_id"],
        event_id=f"mail-{message.public_id.hex}-{event.link}",
        recommendation_context="email",
        recommendation_position=link["position"],
        recommendation_request_id=message.request_id,
    )
