"""New products that match a person's interests: categories they like, or near their taste vector."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max

from campaigns.content.cards import Card, Composed, at_most_of_each
from campaigns.gate import Substance
from campaigns.models import Campaign, OutboxMessage
from campaigns.planners.new_products import new_since
from campaigns.recipients import Recipient
from catalog.models import Product
from recommendations.contracts import Placement, Query
from recommendations.matching import match_products

# Of a flood of new products the latest are looked at.
MOST_LOOKED_AT = 500


def compose(campaign: Campaign, who: Recipient, trigger: Mapping[str, Any], now: datetime) -> Composed:
    """Return what is new since the last digest and matches. Fewer than three are carried over to the next day.

    A product is shown once per person, ever: it is published once, and a digest moves the line beyond it.
    """
    numbers = campaign.numbers
    since = max(new_since(campaign, now), last_digest(campaign, who.user_id) or new_since(campaign, now))
    fresh = list(
        Product.objects.available()
        .filter(created_at__gt=since, created_at__lte=now)
        .order_by("-created_at", "-pk")
        .values_list("pk", flat=True)[:MOST_LOOKED_AT]
    )
    query = Query(Placement.HOMEPAGE, len(fresh), user_id=who.user_id)
    matches = match_products(query, fresh, least_similarity=numbers["similarity_percent"] / 100)
    items = at_most_of_each(matches.items, most=numbers["most_in_category"], limit=numbers["most_items"])
    return Composed(
        Substance(items=len(items), least=numbers["least_items"], nothing_new=not fresh),
        picks=tuple(Card.of_item(item) for item in items),
        strategy=matches.strategy.value,
        model_version=matches.model_version,
    )


def last_digest(campaign: Campaign, user_id: str) -> datetime | None:
    """Return when the last digest of new products reached the person, or None."""
    reached = OutboxMessage.objects.filter(
        user_id=user_id, campaign=campaign, state__in=OutboxMessage.REACHED, handed_off_at__isnull=False
    )
    latest: datetime | None = reached.aggregate(latest=Max("handed_off_at"))["latest"]
    return latest
