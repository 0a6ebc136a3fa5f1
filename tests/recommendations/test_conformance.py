"""One suite of laws that every strategy passes, by the default blend and by a mix of all signals."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from catalog.models import Product
from recommendations.configuration import EngineSettings, to_json
from recommendations.contracts import Placement, Query, Recommendations, Strategy
from recommendations.learning.folding import fold_fresh
from recommendations.learning.train import train
from recommendations.pipeline import recommend
from recommendations.signals import ANCHORED, HOMEPAGE
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS = 30
# Out of stock, inactive, excluded by the caller, and a product that nobody ever touched.
SOLD_OUT, WITHDRAWN, EXCLUDED, COLD = "p1", "p2", "p3", "brand-new"

QUERIES: Mapping[Strategy, Query] = {
    Strategy.PERSONALIZED: Query(Placement.HOMEPAGE, limit=5, user_id="shopper-0"),
    Strategy.SESSION: Query(Placement.HOMEPAGE, limit=5, session_id="guest"),
    Strategy.POPULAR: Query(Placement.HOMEPAGE, limit=5),
    Strategy.SIMILAR: Query(Placement.PRODUCT, limit=5, anchors=("p0",)),
    Strategy.CART: Query(Placement.CART, limit=5, anchors=("p0", "p4", "p5")),
    Strategy.BOUGHT_TOGETHER: Query(Placement.BOUGHT_TOGETHER, limit=5, anchors=("p0",)),
}


def every_signal() -> dict[str, Any]:
    """Return settings in which each placement mixes every signal it knows, some of them negatively."""
    stored = to_json(EngineSettings())
    for name, known in {
        "homepage": HOMEPAGE,
        "cart": ANCHORED,
        "product": ANCHORED,
        "bought_together": ANCHORED,
    }.items():
        sizes = {code: (-1.0 if place % 6 == 5 else 1.0) / len(known) for place, code in enumerate(known)}
        stored[name] |= {"mix": sizes, "rescale": "root"}
    return stored


@pytest.fixture(params=["the default blend", "a mix of every signal"])
def shop(request: pytest.FixtureRequest) -> None:
    random = Random(7)
    for number in range(PRODUCTS):
        make_product(
            f"p{number}", axis=number % 5 * 30, tilt=number / 40, category=f"Category {number % 5}",
            stock_quantity=0 if f"p{number}" == SOLD_OUT else None, is_active=f"p{number}" != WITHDRAWN,
        )  # fmt: skip
    make_product(COLD, axis=0, tilt=0.3, category="Category 0")
    for number in range(12):
        for order in range(3):
            for product in random.sample(range(PRODUCTS), 4):
                did(
                    "purchase", f"p{product}", user=f"shopper-{number}", order=f"{number}-{order}",
                    days_ago=20.0 * order + 35 + number / 24,
                )  # fmt: skip
        for step, product in enumerate(random.sample(range(PRODUCTS), 3)):
            did("view", f"p{product}", session=f"visit-{number}", days_ago=2 - step / 1440)
    for step, product in enumerate(("p0", "p5")):
        did("view", product, session="guest", days_ago=(2 - step) / 1440)
    while fold_fresh():
        pass
    train(settings=every_signal() if "mix" in request.param else None)


def ids(answer: Recommendations) -> list[str]:
    return [item.facts.product_id for item in answer.items]


@pytest.mark.parametrize("strategy", QUERIES)
def test_every_strategy_keeps_the_laws_of_lists(shop: None, strategy: Strategy) -> None:
    query = replace(QUERIES[strategy], exclude=frozenset({EXCLUDED}), as_of=datetime.now(UTC) + timedelta(seconds=1))
    eligible = Product.objects.count() - 3 - len({*query.anchors})

    answer = recommend(query)
    assert answer.strategy is strategy
    assert len(ids(answer)) == 5
    assert ids(recommend(query)) == ids(answer), "The same question has the same answer."

    longest = recommend(replace(query, limit=50))
    assert len(ids(longest)) == len(set(ids(longest)))
    barred = {SOLD_OUT, WITHDRAWN, EXCLUDED, *query.anchors}
    assert not barred & set(ids(longest))
    # A list is filled while eligible products remain; on the homepage, what is to wait for its interval stays out.
    assert eligible - 12 <= len(ids(longest)) <= eligible
    assert COLD in ids(longest)
    for item in longest.items:
        assert item.reason.code
        assert len(item.reason.text) > 5
        assert 0.0 <= item.scored.score <= 1.0
        assert all(0 <= one <= 1 for one in (item.scored.content, item.scored.collaborative, item.scored.popularity))


def test_a_cold_shopper_a_cold_visit_and_a_cold_product_get_full_lists(shop: None) -> None:
    stranger = recommend(Query(Placement.HOMEPAGE, limit=5, user_id="never-seen", session_id="never-seen"))
    assert (stranger.strategy, len(stranger.items)) == (Strategy.POPULAR, 5)
    for placement in (Placement.PRODUCT, Placement.CART, Placement.BOUGHT_TOGETHER):
        answer = recommend(Query(placement, limit=5, anchors=(COLD,)))
        assert len(answer.items) == 5, placement
        assert COLD not in ids(answer)
        # Nobody did anything with it: what it is like comes first.
        assert answer.items[0].facts.category == "Category 0"


def test_a_stranger_to_the_catalogue_in_a_cart_changes_nothing(shop: None) -> None:
    query = QUERIES[Strategy.CART]
    assert ids(recommend(replace(query, anchors=(*query.anchors, "unheard-of")))) == ids(recommend(query))
