"""The caller's filters and availability as SQL, for the statements that order by distance or rank."""

from collections.abc import Sequence
from typing import Any

from catalog.models import CATEGORY_SEPARATOR
from recommendations.contracts import Filters, Rule, RuleAction, Target

# The same notion as `Product.objects.available()`; a test holds the two together.
AVAILABLE = "p.is_active AND (p.stock_quantity IS NULL OR p.stock_quantity > 0)"


def conditions(filters: Filters, rules: Sequence[Rule] = ()) -> tuple[str, dict[str, Any]]:
    """Return a condition on the product `p` (what may be shown, under these filters) and its parameters.

    `rules` are the live merchandising rules in the order in which they decide: what they hide may not be shown.
    """
    condition = AVAILABLE
    parameters: dict[str, Any] = {}
    if any(rule.action is RuleAction.HIDE for rule in rules):
        cases = ""
        for number, rule in enumerate(rules):
            fits, more = _fits(rule.target, f"rule_{number}")
            cases += f" WHEN {fits} THEN {rule.action is not RuleAction.HIDE}"
            parameters |= more
        condition += f" AND CASE{cases} ELSE true END"
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


def _fits(target: Target, name: str) -> tuple[str, dict[str, Any]]:
    """Return the condition that the product `p` is what a rule is about, and its parameters, their names begun so."""
    parts = {
        "p.id = ANY(%({0})s)": sorted(target.products) or None,
        "(p.category = %({0})s OR starts_with(p.category, %({0})s || '" + CATEGORY_SEPARATOR + "'))": target.category,
        "p.brand = %({0})s": target.brand,
        "p.price >= %({0})s": target.min_price,
        "p.price <= %({0})s": target.max_price,
        "p.stock_quantity >= %({0})s": target.min_stock,
        "p.stock_quantity <= %({0})s": target.max_stock,
    }
    given = [(part, value) for part, value in parts.items() if value is not None and value != ""]
    conditions = [part.format(f"{name}_{place}") for place, (part, _) in enumerate(given)]
    return " AND ".join(conditions) or "true", {f"{name}_{place}": value for place, (_, value) in enumerate(given)}
