"""The sender: takes what is due and sends it, one mail at a time, until nothing is due or its time is up.

1. See whether anything is due, and connect to the provider. Where it cannot be reached, nothing is claimed.
2. Claim some due rows with a token and a lease, passing over those that others hold (`SKIP LOCKED`).
3. For each row, in one transaction that holds the contact: run the whole gate on what is true now, and either store why
   not, or render the mail and commit the intent, `handing_off`. From here on no machine tries it again.
4. Hand it to the provider, outside of any transaction.
5. Write down the outcome: sent, failed, unknown, or back to planned where certainly nothing left.

Killed before 3's commit, the row is planned again when the lease runs out; killed after it, the row is parked as
unknown. Any number of senders may run side by side, and any may wake up late: without its claim it does nothing.
"""

import time
import uuid
from collections.abc import Callable
from datetime import datetime

import structlog
from django.utils import timezone

from campaigns.recipients import Recipient, recipients_of
from campaigns.sending.claims import LEASE, claim, is_due, release
from campaigns.sending.hand_off import decide
from campaigns.sending.outcomes import note
from campaigns.sending.provider import Provider, UnreachableError

log = structlog.get_logger(__name__)
BATCH = 20


def send_due(
    *, clock: Callable[[], datetime] = timezone.now, seconds: float = 50.0, provider: Provider | None = None
) -> int:
    """Send what is due, for at most about `seconds`; return how many mails were handed over."""
    if not is_due(now=clock()):
        return 0
    provider = provider or Provider()
    try:
        provider.open()
    except UnreachableError as error:
        log.warning("mail_provider_unreachable", error=str(error))
        return 0
    handed, ends = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < ends:
            token, messages = claim(now=clock(), most=BATCH)
            if not messages:
                break
            people = recipients_of(messages)
            for place, message in enumerate(messages):
                if time.monotonic() >= ends:
                    release(messages[place:], token=token)
                    break
                handed += _send_one(message, people[message], token, provider, clock)
    finally:
        provider.close()
    return handed


def _send_one(message: int, who: Recipient, token: uuid.UUID, provider: Provider, clock: Callable[[], datetime]) -> int:
    """Take steps 3 to 5 for one row; return how many mails were handed over, 0 or 1."""
    began = time.monotonic()
    hand_off = decide(message, token=token, now=clock(), glimpsed=who)
    if hand_off is None:
        return 0
    if time.monotonic() - began > LEASE.total_seconds() / 2:
        # Asleep for minutes meanwhile: it will be parked, or was, and perhaps a person sent it again.
        return 0
    note(hand_off, provider.send(hand_off.email), now=clock())
    return 1
