"""Making a campaign happen for one person now: for the demo, and for trying a campaign out.

The row is planned as if its hour had come; the gate judges it as always, but for the hour, caps and cool-downs.
"""

from datetime import datetime, timedelta
from typing import Any

from campaigns.carts import cart_of
from campaigns.definitions import Kind, Priority
from campaigns.models import Campaign, OutboxMessage
from catalog.models import Product

PRIORITIES = {
    Kind.CART_ABANDONMENT: Priority.CART,
    Kind.NEW_PRODUCTS: Priority.NEW_PRODUCTS,
    Kind.WEEKLY_DIGEST: Priority.WEEKLY,
    Kind.BACK_IN_STOCK: Priority.IMPLIED_STOCK,
}
GOOD_FOR = timedelta(hours=1)


def occasion_for(campaign: Campaign, user_id: str, *, now: datetime) -> OutboxMessage:
    """Return an unsaved message as the planner would make it for this person, were it their moment."""
    trigger: dict[str, Any] = {}
    if campaign.kind == Kind.CART_ABANDONMENT:
        cart = cart_of(user_id, now=now, days=campaign.numbers["cart_days"])
        trigger = {"episode": cart.episode}
    if campaign.kind == Kind.BACK_IN_STOCK:
        trigger = {"product_id": _product_for(user_id), "interest": "viewed", "since": now.isoformat()}
    name = f"by hand {now.isoformat(timespec='milliseconds')}"
    return OutboxMessage(
        campaign=campaign,
        user_id=user_id,
        occasion=name,
        dedupe_key=f"{campaign.kind}:{name}:u:{user_id}",
        trigger=trigger,
        priority=PRIORITIES[Kind(campaign.kind)],
        by_hand=True,
        planned_at=now,
        due_at=now,
        expires_at=now + GOOD_FOR,
    )


def advance(campaign: Campaign, user_id: str, *, now: datetime) -> OutboxMessage:
    """Plan the campaign's mail for one person now, and return the message; the sender takes it within seconds."""
    message = occasion_for(campaign, user_id, now=now)
    message.save()
    return message


def _product_for(user_id: str) -> str:
    """Return a product that the person looked at lately and has not bought, and that can be had."""
    return (
        Product.objects.available()
        .extra(
            where=[
                "EXISTS (SELECT FROM user_interactions i WHERE i.user_id = %s AND i.product_id = "
                "catalog_product.product_id AND i.interaction_type IN ('view', 'wishlist_add', 'cart_add'))",
                "NOT EXISTS (SELECT FROM user_interactions i WHERE i.user_id = %s AND i.product_id = "
                "catalog_product.product_id AND i.interaction_type = 'purchase')",
            ],
            params=[user_id, user_id],
        )
        .order_by("product_id")
        .values_list("product_id", flat=True)
        .first()
        or ""
    )
