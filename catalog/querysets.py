"""Questions about the products table, in the page's language."""

from decimal import Decimal
from typing import TYPE_CHECKING, Self

from django.contrib.postgres.search import SearchQuery
from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    from catalog.models import Product  # noqa: F401


def available_q(prefix: str = "") -> Q:
    """Match what may be shown: active, and in stock or with a stock that is not tracked."""
    active = Q(**{f"{prefix}is_active": True})
    untracked = Q(**{f"{prefix}stock_quantity__isnull": True})
    return active & (untracked | Q(**{f"{prefix}stock_quantity__gt": 0}))


def in_category_q(category: str) -> Q:
    """Match this category path, and every path below it."""
    return Q(category=category) | Q(category__startswith=f"{category} > ")


class ProductQuerySet(models.QuerySet["Product"]):
    """Products by what the callers ask for."""

    def available(self) -> Self:
        """Keep what may be shown. The one notion of it: lists, fallbacks and e-mails all ask here."""
        return self.filter(available_q())

    def in_category(self, category: str) -> Self:
        """Keep this category and what lies below it."""
        return self.filter(in_category_q(category))

    def priced_between(self, lowest: Decimal | None, highest: Decimal | None) -> Self:
        """Keep prices within the bounds, both inclusive; a bound of None does not bound."""
        kept = self
        if lowest is not None:
            kept = kept.filter(price__gte=lowest)
        if highest is not None:
            kept = kept.filter(price__lte=highest)
        return kept

    def matching(self, *, words: str = "", category: str = "", brand: str = "", in_stock: bool | None = None) -> Self:
        """Keep what has all of `words` in its texts, or has them for its id, and fits the other filters."""
        kept = self
        if words:
            kept = kept.filter(
                Q(search=SearchQuery(words, search_type="websearch", config="english")) | Q(product_id=words)
            )
        if category:
            kept = kept.in_category(category)
        if brand:
            kept = kept.filter(brand=brand)
        if in_stock is not None:
            out = Q(stock_quantity=0)
            kept = kept.exclude(out) if in_stock else kept.filter(out)
        return kept
