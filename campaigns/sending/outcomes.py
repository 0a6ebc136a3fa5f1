"""Writing down what became of a message that was handed over."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction

from campaigns.models import OutboxMessage, StockAlert, Suppression
from campaigns.sending.hand_off import HandOff
from campaigns.sending.provider import Delivery, Outcome
from campaigns.services.suppress import suppress

log = structlog.get_logger(__name__)
State = OutboxMessage.State
MOST_ATTEMPTS = 5
FIRST_WAIT = timedelta(seconds=30)


def note(handed: HandOff, delivery: Delivery, *, now: datetime) -> None:
    """Write the outcome, where the message is still where we left it.

    The reaper may have parked it as unknown meanwhile; then the provider's answer settles it, and only ours may.
    """
    ours = OutboxMessage.objects.filter(
        pk=handed.message, state__in=[State.HANDING_OFF, State.UNKNOWN], claim_token=handed.token
    )
    if delivery.outcome is Outcome.ACCEPTED and handed.alert is None:
        # The usual case in one statement: it locks, looks and writes at once.
        ours.update(**_settled(State.SENT, delivery, now, token=None))
        return
    with transaction.atomic():
        message = ours.select_for_update(no_key=True).first()
        if message is None:
            return
        match delivery.outcome:
            case Outcome.ACCEPTED:
                _settle(message, State.SENT, delivery, now)
            case Outcome.UNKNOWN:
                _settle(message, State.UNKNOWN, delivery, now)
            case Outcome.REJECTED:
                _settle(message, State.FAILED, delivery, now)
                if delivery.no_such_address:
                    suppress([message.address_hash], Suppression.Reason.HARD_BOUNCE, message=message.public_id)
            case Outcome.REFUSED:
                _try_later(message, delivery, now)


def _settle(message: OutboxMessage, state: str, delivery: Delivery, now: datetime) -> None:
    # Kept while unknown: an answer that comes late shall still find its message.
    token = message.claim_token if state == State.UNKNOWN else None
    OutboxMessage.objects.filter(pk=message.pk).update(**_settled(state, delivery, now, token=token))
    if message.alert_id is not None:
        StockAlert.objects.filter(pk=message.alert_id, used_at=None).update(used_at=now)


def _settled(state: str, delivery: Delivery, now: datetime, *, token: uuid.UUID | None) -> dict[str, Any]:
    return {
        "state": state,
        "detail": delivery.detail,
        "provider_id": delivery.provider_id,
        "sent_at": now if state == State.SENT else None,
        "finished_at": now if state != State.UNKNOWN else None,
        "lease_until": None,
        "claim_token": token,
    }


def _try_later(message: OutboxMessage, delivery: Delivery, now: datetime) -> None:
    """Nothing left: wait 30 s, 2 min, 8 min, 32 min, then give up."""
    attempts = message.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        _settle(message, State.FAILED, delivery, now)
        OutboxMessage.objects.filter(pk=message.pk).update(attempts=attempts)
        return
    OutboxMessage.objects.filter(pk=message.pk).update(
        state=State.PLANNED,
        attempts=attempts,
        due_at=now + FIRST_WAIT * 4 ** (attempts - 1),
        detail=delivery.detail,
        claim_token=None,
        lease_until=None,
        handed_off_at=None,
        address_hash="",
    )
    log.info("mail_put_off", message=message.pk, attempts=attempts, detail=delivery.detail)
