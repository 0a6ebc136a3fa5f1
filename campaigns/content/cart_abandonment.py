"""The cart as it stands, and what goes with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from campaigns.carts import cart_of
from campaigns.content.cards import Card, Composed
from campaigns.gate import Substance
from campaigns.models import Campaign
from campaigns.recipients import Recipient
from catalog.models import Product
from recommendations import pipeline
from recommendations.contracts import Placement, Query

MOST_LINES = 8


def compose(campaign: Campaign, who: Recipient, trigger: Mapping[str, Any], now: datetime) -> Composed:
    """Return the cart's lines that can be bought, at today's price, and the products that go with them."""
    numbers = campaign.numbers
    lines = cart_of(who.user_id, now=now, days=numbers["cart_days"]).lines
    wanted = [line.product_id for line in lines]
    products = {one.product_id: one for one in Product.objects.available().filter(product_id__in=wanted)}
    cards = [
        Card.of_product(products[line.product_id], quantity=line.quantity, before=line.unit_price)
        for line in lines
        if line.product_id in products
    ]
    substance = Substance(items=len(cards), lead_missing=not cards)
    if not cards:
        return Composed(substance)
    shown = tuple(cards[:MOST_LINES])
    if not numbers["companions"]:
        return Composed(substance, lead=shown, more=len(cards) - len(shown))
    query = Query(
        Placement.CART, numbers["companions"], user_id=who.user_id, anchors=tuple(wanted), exclude=frozenset(wanted)
    )
    answer = pipeline.recommend(query)
    return Composed(
        substance,
        lead=shown,
        picks=tuple(Card.of_item(item) for item in answer.items),
        more=len(cards) - len(shown),
        strategy=answer.strategy.value,
        model_version=answer.model_version,
    )
