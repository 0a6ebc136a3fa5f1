"""Planners look for occasions and write outbox rows: set-based, one statement for any number of people.

A planner may run at any time, twice and side by side: an occasion has one key, and the outbox keeps each key once.
Whether a mail goes out is not theirs to decide: whoever an occasion concerns gets a row, and the gate says why not.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from campaigns.definitions import Kind
from campaigns.models import Campaign
from campaigns.planners import back_in_stock, cart_abandonment, new_products, weekly_digest

PLANNERS: Mapping[str, Callable[[Campaign, datetime], int]] = {
    Kind.CART_ABANDONMENT: cart_abandonment.plan,
    Kind.NEW_PRODUCTS: new_products.plan,
    Kind.WEEKLY_DIGEST: weekly_digest.plan,
    Kind.BACK_IN_STOCK: back_in_stock.plan,
}


def plan(kind: str, *, now: datetime) -> int:
    """Write the rows of a campaign's occasions at `now`, and return how many were new."""
    campaign = Campaign.objects.get(kind=kind)
    return PLANNERS[kind](campaign, now) if campaign.plans else 0
