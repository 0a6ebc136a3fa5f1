"""A dry run on demand: plan, judge and count by reason; nothing is kept, and nothing is sent."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from campaigns.models import Campaign, OutboxMessage
from campaigns.planners import PLANNERS
from campaigns.recipients import recipient_of
from campaigns.situations import judge

WOULD_SEND = "would be sent"


@dataclass(frozen=True, slots=True)
class DryRun:
    """How many occasions there are now, and the verdicts on those that were judged, the most frequent first."""

    occasions: int
    judged: int
    counts: Sequence[tuple[str, int]]


def dry_run(campaign: Campaign, *, now: datetime, most: int = 1000) -> DryRun:
    """Return what the campaign would do now if it were live, for the first `most` people; leaves no trace.

    Everything happens in a transaction that is rolled back, planners included. A campaign that was never live looks at
    all that happened lately.
    """
    with transaction.atomic():
        tried = Campaign.objects.get(pk=campaign.pk)
        tried.mode = Campaign.Mode.DRY_RUN
        tried.save(update_fields=["mode"])
        before = OutboxMessage.objects.filter(campaign=tried, dry_run=True)
        known = set(before.filter(state__in=OutboxMessage.WAITING).values_list("pk", flat=True))
        occasions = PLANNERS[tried.kind](tried, now) + len(known)
        rows = before.filter(state__in=OutboxMessage.WAITING).select_related("campaign").order_by("pk")[:most]
        counts = Counter(_verdict(message, tried, now) for message in rows)
        transaction.set_rollback(True)
    return DryRun(occasions, counts.total(), counts.most_common())


def _verdict(message: OutboxMessage, campaign: Campaign, now: datetime) -> str:
    failure = judge(message, campaign, recipient_of(message), now=now).failure
    return failure.reason if failure else WOULD_SEND
