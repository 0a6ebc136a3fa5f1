"""Of these products, which match a person? The engine's answer to "new products for you".

A mail about new products chooses among those alone, so sources propose nothing here; taste, scores, reasons and facts
are the pipeline's. Products nobody has dealt with yet have no collaborative signal, so content decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils import timezone

from recommendations import merchandising, person, popular, rules, scoring, taste
from recommendations.configuration import from_json
from recommendations.contracts import (
    Item,
    PlacementSettings,
    Query,
    Reason,
    Scored,
    Source,
    Strategy,
    Taste,
    Votes,
)
from recommendations.selectors import event_weights
from recommendations.shelf import shelf
from recommendations.vectors import vectors


@dataclass(frozen=True, slots=True)
class Matches:
    """What matched, best first, and how it came about."""

    items: tuple[Item, ...]
    strategy: Strategy
    model_version: int | None


def match_products(query: Query, products: Sequence[int], *, least_similarity: float) -> Matches:
    """Return those of `products` (our ids) that lie in a category the person likes, or near their taste.

    Near means a cosine of at least `least_similarity` with the taste vector. What the person bought lately, and what
    may not be shown, is left out. Ordered by the blended score; every item has a true reason. Merchandising rules hide,
    boost and bury as in the placement's lists; they pin nothing here.
    """
    version, known = person.read(query)
    now = query.as_of or timezone.now()
    liked = taste.of(known, now=now, event_weights=event_weights())
    similar = _similarities(liked, products)
    chosen = [
        product
        for product in products
        if product not in liked.owned
        and (facts := shelf.get(product)) is not None
        and facts.available
        and (liked.categories.get(facts.category, 0.0) > 0 or similar.get(product, -1.0) >= least_similarity)
    ]
    settings = from_json(version.settings).of(query.placement)
    plain = scoring.blend(_votes(chosen, similar), _without_mix(settings))
    live = merchandising.live(merchandising.rules_of(version), query.placement, now)
    shown = rules.apply(
        plain,
        {product: shelf.facts(product) for product in chosen},
        barred=(),
        settings=PlacementSettings({}),
        limit=len(plain),
        verdicts=merchandising.verdicts_of(live, shelf).of(chosen, shelf),
    )
    items = tuple(_item(one, liked) for one in shown)
    return Matches(items, Strategy.PERSONALIZED, version.id)


def _similarities(liked: Taste, products: Sequence[int]) -> dict[int, float]:
    if liked.vector is None or not products:
        return {}
    return {product: float(vector @ liked.vector) for product, vector in vectors.of(products).items()}


def _votes(products: Sequence[int], similar: dict[int, float]) -> list[Votes]:
    ids = np.array(sorted(products), np.int64)
    nothing = np.zeros(len(ids), np.int64)
    content = np.array([max(similar.get(int(product), 0.0), 0.0) for product in ids])
    return [
        Votes(Source.CONTENT, "taste", ids, content, nothing, nothing),
        Votes(Source.POPULARITY, "popular", ids, popular.scores_of(ids), nothing, nothing),
    ]


def _without_mix(settings: PlacementSettings) -> PlacementSettings:
    """Return the settings for the two signals there are: a mix is tuned to signals that new products do not have."""
    return PlacementSettings(settings.weights)


def _item(one: Scored, liked: Taste) -> Item:
    facts = shelf.facts(one.product)
    narrowest = facts.category.rpartition(" > ")[2]
    if liked.categories.get(facts.category, 0.0) > 0:
        return Item(one, facts, Reason("new_in_category", f"New in {narrowest}, where you have been looking"))
    return Item(one, facts, Reason("new_for_your_taste", "New, and close to what you have been looking at"))
