"""What the database says of the ten shoppers, beside what the brief says of them."""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from catalog.models import CATEGORY_SEPARATOR, Product
from interactions.models import Interaction
from interactions.weights import DECAY_DAYS, DEFAULT_WEIGHTS
from reemio.demo.personas import SHOPPERS, DemoShopper


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the brief's table, as it is in the database."""

    shopper: DemoShopper
    interactions: int
    top_categories: tuple[str, ...]
    price_min: Decimal | None
    price_max: Decimal | None

    @property
    def as_described(self) -> bool:
        """Tell whether the line equals the brief's."""
        wanted = self.shopper
        return (self.interactions, self.top_categories, self.price_min, self.price_max) == (
            wanted.interactions,
            wanted.top_categories,
            wanted.price_min,
            wanted.price_max,
        )


def read_back(*, until: datetime) -> list[Found]:
    """Read the ten shoppers' events up to `until`. Departments are ranked by decayed weight as of that moment."""
    events: dict[str, list[Interaction]] = defaultdict(list)
    user_ids = [shopper.user_id for shopper in SHOPPERS]
    for event in Interaction.objects.filter(user_id__in=user_ids, occurred_at__lte=until):
        events[event.user_id or ""].append(event)
    ids = {event.product_id for history in events.values() for event in history if event.product_id}
    products = Product.objects.only("product_id", "category", "price").in_bulk(list(ids), field_name="product_id")
    return [_found(shopper, events[shopper.user_id], products, until) for shopper in SHOPPERS]


def _found(shopper: DemoShopper, events: Iterable[Interaction], products: dict[str, Product], until: datetime) -> Found:
    history = list(events)
    prices: list[Decimal] = []
    interest: dict[str, float] = defaultdict(float)
    for event in history:
        product = products.get(event.product_id or "")
        if product is None:
            continue
        if product.price is not None:
            prices.append(product.price)
        days = (until - event.occurred_at) / timedelta(days=1)
        weight = DEFAULT_WEIGHTS[event.interaction_type] or 0.0  # type: ignore[index]  # a str that equals the member
        interest[product.category.partition(CATEGORY_SEPARATOR)[0]] += weight * math.exp(-days / DECAY_DAYS)
    ranked = sorted(interest, key=lambda department: (-interest[department], department))
    return Found(shopper, len(history), tuple(ranked[:3]), min(prices, default=None), max(prices, default=None))
