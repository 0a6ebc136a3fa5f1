"""What a person may do with single messages: cancel what waits, send again what may not have arrived."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F
from django.db.models.functions import Greatest

from campaigns.models import OutboxMessage

State = OutboxMessage.State
# So long a message that is sent again is good for, whatever it was planned for.
GOOD_FOR = timedelta(hours=2)


def send_again(messages: Sequence[int], *, now: datetime) -> int:
    """Plan messages anew whose fate is unknown; return how many. The whole gate runs again, and so may say no.

    Only a person may ask for it, and they may be wrong: then the mail arrives twice.
    """
    unknown = OutboxMessage.objects.filter(pk__in=messages, state=State.UNKNOWN)
    return unknown.update(
        state=State.PLANNED,
        due_at=now,
        expires_at=Greatest(F("expires_at"), now + GOOD_FOR),
        claim_token=None,
        lease_until=None,
        handed_off_at=None,
        address_hash="",
        attempts=0,
        detail="sent again by a person",
    )


def cancel(messages: Sequence[int], *, now: datetime) -> int:
    """Cancel messages that are planned; return how many."""
    planned = OutboxMessage.objects.filter(pk__in=messages, state=State.PLANNED)
    return planned.update(state=State.CANCELLED, finished_at=now, detail="cancelled by a person")
