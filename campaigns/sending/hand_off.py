"""The decision about one claimed message: the whole gate and the intent to send, in one transaction.

The contact's row is held `FOR UPDATE` from the first look to the commit: two mails to one person are decided one after
the other, and an unsubscribe that has answered is seen by every later decision.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from django.template import TemplateDoesNotExist, TemplateSyntaxError

from campaigns.clock import quiet_until
from campaigns.models import Campaign, ContactState, OutboxMessage
from campaigns.recipients import Recipient, recipient_of, recipients_of
from campaigns.rendering.mail import Mail, RenderError, arm_of, as_email, render
from campaigns.sending.claims import LEASE
from campaigns.situations import Judgement, judge, limits_of
from recommendations.services import keep_mail_list

log = structlog.get_logger(__name__)
State = OutboxMessage.State
# PostgreSQL locks the row that is there before it looks at the condition, and as a new key would lock it: `FOR UPDATE`.
HOLD = f"""
INSERT INTO {ContactState._meta.db_table} (address_hash) VALUES (%s)
ON CONFLICT (address_hash) DO UPDATE SET address_hash = EXCLUDED.address_hash WHERE false
"""  # noqa: S608  constants of this module


@dataclass(frozen=True, slots=True)
class HandOff:
    """A message whose intent is committed: it is handed to the provider once, now, and never again by a machine."""

    message: int
    token: uuid.UUID
    email: EmailMultiAlternatives
    alert: int | None = None


def decide(message_id: int, *, token: uuid.UUID, now: datetime, glimpsed: Recipient | None = None) -> HandOff | None:
    """Decide about a claimed message; return what to hand over, or None where nothing is to be sent.

    1. Read who it is for, where the caller has not `glimpsed` it. 2. Hold the contact. 3. Make sure that the claim is
    still ours, and the person the same. 4. In quiet hours: put it off. 5. Judge. 6. Store the reason, or the intent
    with all that the mail shows.
    """
    who = glimpsed or recipients_of([message_id])[message_id]
    with transaction.atomic():
        hold_contact(who.address_hash)
        message = _mine(message_id, token, now)
        if message is None:
            return None
        if recipient_of(message) != who:
            # The profile changed under us: another contact has to be held.
            _update(message, state=State.PLANNED, claim_token=None, lease_until=None)
            return None
        campaign = message.campaign
        if _put_off(message, campaign, who, now):
            return None
        judgement = judge(message, campaign, who, now=now)
        if judgement.failure is not None:
            _finish(message, State.SKIPPED, now, reason=judgement.failure.reason, detail=judgement.failure.detail)
            return None
        if message.dry_run:
            _finish(message, State.WOULD_SEND, now)
            return None
        return _intend(message, campaign, who, judgement, now)


def hold_contact(address_hash: str) -> None:
    """Hold the row of an address until the transaction ends; make it first, where it is not there."""
    if not address_hash:
        return
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [address_hash])


def _mine(message_id: int, token: uuid.UUID, now: datetime) -> OutboxMessage | None:
    """Lock the message where the claim still holds: a worker that slept through its lease finds nothing."""
    rows = OutboxMessage.objects.select_for_update(of=("self",), no_key=True).select_related("campaign")
    return rows.filter(pk=message_id, state=State.CLAIMED, claim_token=token, lease_until__gt=now).first()


def _put_off(message: OutboxMessage, campaign: Campaign, who: Recipient, now: datetime) -> bool:
    """In the person's night, wait for the morning, when the whole gate runs again; too late by then is the gate's."""
    if message.by_hand or message.dry_run:
        return False
    limits = limits_of(campaign)
    morning = quiet_until(now, who.zone, from_hour=limits.quiet_from, until_hour=limits.quiet_until)
    if morning is None or morning >= message.expires_at:
        return False
    _update(message, state=State.PLANNED, claim_token=None, lease_until=None, due_at=morning)
    return True


def _intend(
    message: OutboxMessage, campaign: Campaign, who: Recipient, judgement: Judgement, now: datetime
) -> HandOff | None:
    """Render, and commit the intent with everything that the mail shows; a mail that cannot be made is skipped."""
    assert judgement.composed is not None  # noqa: S101  the gate composes before its last lines
    request_id = uuid.uuid4()
    arm = arm_of(campaign.kind, who, compares=campaign.compares_subjects)
    try:
        mail = render(
            campaign.kind, who, judgement.composed, message=message.public_id, request_id=request_id, arm=arm,
            asked_for=message.alert_id is not None,
        )  # fmt: skip
    except (RenderError, TemplateDoesNotExist, TemplateSyntaxError, ValueError, TypeError) as error:
        log.warning("mail_not_rendered", message=message.pk, error=type(error).__name__)
        _finish(message, State.SKIPPED, now, reason="render_error", detail=str(error))
        return None
    _keep_list(message, who, judgement, mail, request_id)
    _update(
        message,
        state=State.HANDING_OFF,
        handed_off_at=now,
        lease_until=now + LEASE,
        address_hash=who.address_hash,
        arm=arm,
        content=mail.content,
        request_id=request_id,
    )
    assert message.claim_token is not None  # noqa: S101  it was claimed with one
    return HandOff(
        message.pk,
        message.claim_token,
        as_email(mail, who.address, message=message.public_id, kind=campaign.kind),
        message.alert_id,
    )


def _keep_list(message: OutboxMessage, who: Recipient, judgement: Judgement, mail: Mail, request_id: uuid.UUID) -> None:
    """Keep what was shown beside every other served list, in the transaction of the intent."""
    composed = judgement.composed
    if composed is None:
        return
    keep_mail_list(
        request_id=request_id,
        user_id=who.user_id,
        products=[card.product_id for card in composed.cards],
        scores=[card.score for card in composed.cards],
        anchors=[card.product_id for card in composed.lead],
        strategy=composed.strategy,
        model_version=composed.model_version,
        variant=f"{message.campaign.kind}:{mail.arm}",
        campaign=message.campaign.kind,
    )


def _finish(message: OutboxMessage, state: str, now: datetime, *, reason: str = "", detail: str = "") -> None:
    _update(
        message, state=state, reason=reason, detail=detail[:300], finished_at=now, claim_token=None, lease_until=None
    )


def _update(message: OutboxMessage, **fields: object) -> None:
    """Write to the row that this transaction has locked."""
    OutboxMessage.objects.filter(pk=message.pk).update(**fields)
