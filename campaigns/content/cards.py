"""Product cards, and what a mail is composed of."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from campaigns.gate import Substance
from catalog.models import CATEGORY_SEPARATOR, Product
from recommendations.contracts import Item, ProductFacts


@dataclass(frozen=True, slots=True)
class Card:
    """One product in a mail. `was` is an earlier price, only where it was higher; `score` is what it was ranked by."""

    product_id: str
    title: str
    category: str
    price: Decimal | None
    currency: str
    image_url: str
    url: str
    reason: str = ""
    was: Decimal | None = None
    quantity: int = 1
    score: float = 0.0

    @classmethod
    def of_item(cls, item: Item) -> Self:
        """Return the card of a recommended item, with its reason."""
        return cls.of_facts(item.facts, reason=item.reason.text, score=item.scored.score)

    @classmethod
    def of_facts(cls, facts: ProductFacts, *, reason: str = "", score: float = 0.0) -> Self:
        """Return the card of a product as the engine knows it."""
        return cls(
            facts.product_id, facts.title, facts.category, facts.price, facts.currency, facts.image_url, facts.url,
            reason=reason, score=score,
        )  # fmt: skip

    @classmethod
    def of_product(
        cls, product: Product, *, quantity: int = 1, before: Decimal | None = None, reason: str = ""
    ) -> Self:
        """Return the card of a product's row; `before` is shown only where the price has fallen since."""
        fell = before is not None and product.price is not None and before > product.price
        return cls(
            product.product_id, product.title, product.category, product.price, product.currency, product.image_url,
            product.url, reason=reason, was=before if fell else None, quantity=quantity,
        )  # fmt: skip

    @property
    def narrowest(self) -> str:
        """Return the narrowest part of the category's path."""
        return self.category.rpartition(CATEGORY_SEPARATOR)[2]


@dataclass(frozen=True, slots=True)
class Composed:
    """The products of a mail: `lead` is what it is about, `picks` what the engine adds; and how that came about."""

    substance: Substance
    lead: tuple[Card, ...] = ()
    picks: tuple[Card, ...] = ()
    more: int = 0
    strategy: str = ""
    model_version: int | None = None

    @property
    def cards(self) -> tuple[Card, ...]:
        """Return all products in the order in which the mail shows them."""
        return self.lead + self.picks


def at_most_of_each(items: Iterable[Item], *, most: int, limit: int) -> tuple[Item, ...]:
    """Return the first `limit` items of which no category has more than `most`: a shorter list, not a duller one."""
    counts: Counter[str] = Counter()
    kept: list[Item] = []
    for item in items:
        if len(kept) == limit:
            break
        category = item.facts.category
        if category and counts[category] >= most:
            continue
        counts[category] += 1
        kept.append(item)
    return tuple(kept)
