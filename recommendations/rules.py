"""Stage 4, pure: business rules only remove or move, they never invent. No Django here."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from recommendations.contracts import PlacementSettings, ProductFacts, Scored


def apply(
    ranked: Sequence[Scored],
    facts: Mapping[int, ProductFacts],
    *,
    barred: Collection[int],
    settings: PlacementSettings,
    limit: int,
    together_first: bool = False,
) -> tuple[Scored, ...]:
    """Return at most `limit` of `ranked`: what is available and not barred, in an order that keeps lists diverse."""
    shown = [one for one in ranked if one.product not in barred and facts[one.product].available]
    if together_first:
        shown.sort(key=lambda one: one.collaborative == 0)
    return diversified(shown, facts, settings=settings, limit=limit)


def diversified(
    ranked: Iterable[Scored], facts: Mapping[int, ProductFacts], *, settings: PlacementSettings, limit: int
) -> tuple[Scored, ...]:
    """Return the first `limit` in which no category and no brand exceeds its share of `limit`.

    What a share turned away comes back, in order, only when nothing else is left to fill the list. Products without
    a category or brand are not counted.
    """
    chosen: list[Scored] = []
    waiting: list[Scored] = []
    categories: Counter[str] = Counter()
    brands: Counter[str] = Counter()
    most_of_category = share_of(limit, settings.category_share)
    most_of_brand = share_of(limit, settings.brand_share)
    for one in ranked:
        if len(chosen) == limit:
            break
        fact = facts[one.product]
        full = (fact.category and categories[fact.category] >= most_of_category) or (
            fact.brand and brands[fact.brand] >= most_of_brand
        )
        if full:
            waiting.append(one)
            continue
        chosen.append(one)
        categories[fact.category] += 1
        brands[fact.brand] += 1
    return tuple(chosen + waiting[: limit - len(chosen)])


def share_of(limit: int, share: float) -> int:
    """Return how many of `limit` places a share allows: at least one, rounded up."""
    return max(1, math.ceil(limit * share - 1e-9))
