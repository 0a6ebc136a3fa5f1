"""Putting the made-up mails of the last weeks into the outbox, as they left, with what was told of them."""

from collections.abc import Iterable
from datetime import timedelta

from campaigns.models import Campaign, MessageEvent, OutboxMessage
from reemio.demo.mailed import Mail

_BATCH = 2000
PRIORITIES = {"weekly_digest": 4, "cart_abandonment": 2}


def add_mails(mailed: Iterable[Mail]) -> None:
    """Add what is not there yet."""
    mails = {_key(one): one for one in mailed}
    there = set(OutboxMessage.objects.filter(dedupe_key__startswith="demo:").values_list("dedupe_key", flat=True))
    campaigns = {campaign.kind: campaign for campaign in Campaign.objects.all()}
    rows = OutboxMessage.objects.bulk_create(
        (_row(key, one, campaigns[one.kind]) for key, one in mails.items() if key not in there), batch_size=_BATCH
    )
    MessageEvent.objects.bulk_create(
        (event for row in rows for event in _events(row, mails[row.dedupe_key])), batch_size=_BATCH
    )


def _key(one: Mail) -> str:
    return f"demo:{one.kind}:{one.occasion}:{one.user_id}"


def _row(key: str, one: Mail, campaign: Campaign) -> OutboxMessage:
    left = one.planned_at + timedelta(seconds=20)
    return OutboxMessage(
        campaign=campaign,
        user_id=one.user_id,
        occasion=one.occasion,
        dedupe_key=key,
        priority=PRIORITIES[one.kind],
        state=OutboxMessage.State.SKIPPED if one.reason else OutboxMessage.State.SENT,
        reason=one.reason,
        arm=one.arm,
        planned_at=one.planned_at,
        due_at=one.planned_at,
        expires_at=one.planned_at + timedelta(hours=8),
        request_id=one.request_id if one.product_ids else None,
        handed_off_at=None if one.reason else left,
        sent_at=None if one.reason else left,
        finished_at=left,
    )


def _events(row: OutboxMessage, one: Mail) -> list[MessageEvent]:
    return [
        MessageEvent(
            message=row,
            message_ref=row.public_id,
            kind=kind,
            key=f"demo:{row.pk}:{number}",
            occurred_at=at,
            received_at=at,
            machine=machine,
            link=1 if kind == "clicked" else None,
            applied_at=at,
        )
        for number, (kind, at, machine) in enumerate(one.told)
    ]
