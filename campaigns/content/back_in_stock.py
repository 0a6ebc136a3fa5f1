"""The product that is back, and a few others like it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.content.cards import Card, Composed
from campaigns.gate import Substance
from campaigns.models import Campaign
from campaigns.recipients import Recipient
from catalog.models import Product
from recommendations import pipeline
from recommendations.contracts import Placement, Query

WHY = {
    "asked": "You asked us to tell you",
    "wishlist": "It is on your wishlist",
    "cart": "It was in your cart when it sold out",
    "viewed": "You looked at it",
}


def compose(campaign: Campaign, who: Recipient, trigger: Mapping[str, Any], now: datetime) -> Composed:
    """Return the product and its alternatives; the gate says whether it is still there."""
    product_id = str(trigger.get("product_id", ""))
    product = Product.objects.filter(product_id=product_id).first()
    if product is None:
        return Composed(Substance(items=0))
    lead = (Card.of_product(product, reason=WHY.get(str(trigger.get("interest")), "")),)
    limit = campaign.numbers["alternatives"]
    if not limit:
        return Composed(Substance(items=1), lead=lead)
    query = Query(Placement.PRODUCT, limit, user_id=who.user_id, anchors=(product_id,))
    answer = pipeline.recommend(query)
    return Composed(
        Substance(items=1),
        lead=lead,
        picks=tuple(Card.of_item(item) for item in answer.items),
        strategy=answer.strategy.value,
        model_version=answer.model_version,
    )
