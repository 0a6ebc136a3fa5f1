"""Eight picks for the week, none of which the last three digests showed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.content.cards import Card, Composed, at_most_of_each
from campaigns.gate import Substance
from campaigns.models import Campaign, OutboxMessage
from campaigns.recipients import Recipient
from recommendations import pipeline
from recommendations.contracts import Placement, Query

# Enough to choose from when few of one category may be shown.
DEPTH = 50


def compose(campaign: Campaign, who: Recipient, trigger: Mapping[str, Any], now: datetime) -> Composed:
    """Return the picks; what is filled up with popular products says so in its reason."""
    numbers = campaign.numbers
    query = Query(
        Placement.HOMEPAGE,
        DEPTH,
        user_id=who.user_id,
        exclude=shown_lately(campaign, who.user_id, digests=numbers["no_repeats"]),
    )
    answer = pipeline.recommend(query)
    items = at_most_of_each(answer.items, most=numbers["most_in_category"], limit=numbers["most_items"])
    return Composed(
        Substance(items=len(items), least=numbers["least_items"]),
        picks=tuple(Card.of_item(item) for item in items),
        strategy=answer.strategy.value,
        model_version=answer.model_version,
    )


def shown_lately(campaign: Campaign, user_id: str, *, digests: int) -> frozenset[str]:
    """Return the ids of the products in the person's latest `digests` digests."""
    contents = (
        OutboxMessage.objects.filter(
            user_id=user_id, campaign=campaign, state__in=OutboxMessage.REACHED, handed_off_at__isnull=False
        )
        .order_by("-handed_off_at")
        .values_list("content", flat=True)[:digests]
    )
    return frozenset(shown["product_id"] for content in contents for shown in content.get("products", []))
