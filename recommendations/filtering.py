"""The caller's filters and availability as SQL, for the statements that order by distance or rank."""

from typing import Any

from catalog.models import CATEGORY_SEPARATOR
from recommendations.contracts import Filters

# The same notion as `Product.objects.available()`; a test holds the two together.
AVAILABLE = "p.is_active AND (p.stock_quantity IS NULL OR p.stock_quantity > 0)"


def conditions(filters: Filters) -> tuple[str, dict[str, Any]]:
    """Return a condition on the product `p` (what may be shown, under these filters) and its parameters."""
    condition = AVAILABLE
    parameters: dict[str, Any] = {}
    if filters.category:
        condition += " AND (p.category = %(category)s OR starts_with(p.category, %(below)s))"
        parameters |= {"category": filters.category, "below": filters.category + CATEGORY_SEPARATOR}
    if filters.min_price is not None:
        condition += " AND p.price >= %(min_price)s"
        parameters["min_price"] = filters.min_price
    if filters.max_price is not None:
        condition += " AND p.price <= %(max_price)s"
        parameters["max_price"] = filters.max_price
    return condition, parameters
