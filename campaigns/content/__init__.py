"""What a mail shows: products and reasons from the same pipeline that answers the API, put together at hand-off."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from campaigns.content import back_in_stock, cart_abandonment, new_products, weekly_digest
from campaigns.content.cards import Composed
from campaigns.definitions import Kind
from campaigns.models import Campaign
from campaigns.recipients import Recipient

Composer = Callable[[Campaign, Recipient, Mapping[str, Any], datetime], Composed]

COMPOSERS: Mapping[str, Composer] = {
    Kind.CART_ABANDONMENT: cart_abandonment.compose,
    Kind.NEW_PRODUCTS: new_products.compose,
    Kind.WEEKLY_DIGEST: weekly_digest.compose,
    Kind.BACK_IN_STOCK: back_in_stock.compose,
}


def compose(campaign: Campaign, who: Recipient, trigger: Mapping[str, Any], *, now: datetime) -> Composed:
    """Return what a mail of this campaign to this person would show now."""
    return COMPOSERS[campaign.kind](campaign, who, trigger, now)
