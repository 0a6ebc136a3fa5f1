"""A shop with fifty events: its lists make sense already, and nothing is tuned on so little."""

import pytest

from recommendations.configuration import EngineSettings, from_json
from recommendations.contracts import Placement, Query
from recommendations.learning.folding import fold_fresh
from recommendations.learning.train import train
from recommendations.learning.tuning import tune
from recommendations.models import ModelVersion
from recommendations.pipeline import recommend
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ("Garden", "Kitchen", "Sports", "Books")


@pytest.fixture
def shop() -> None:
    """Forty products of four kinds that read alike within a kind, and fifty events of ten shoppers."""
    for place, kind in enumerate(KINDS):
        for number in range(10):
            make_product(f"{kind.lower()}-{number}", axis=60 * place, tilt=number / 15, category=kind)
    for number in range(10):
        kind = KINDS[number % 4].lower()
        for step, product in enumerate((number % 5, (number + 3) % 10, (number + 6) % 10)):
            did("view", f"{kind}-{product}", user=f"{kind}-fan-{number // 4}", days_ago=5 - step)
        for product in (0, 1):
            did("purchase", f"{kind}-{product}", user=f"{kind}-fan-{number // 4}", order=f"o{number}", days_ago=1)
    while fold_fresh():
        pass
    train()


def shown(query: Query) -> list[tuple[str, str, str]]:
    return [(item.facts.product_id, item.facts.category, item.reason.code) for item in recommend(query).items]


@pytest.mark.parametrize("kind", KINDS)
def test_a_fans_homepage_begins_with_their_kind_as_far_as_diversity_lets_it(shop: None, kind: str) -> None:
    items = shown(Query(Placement.HOMEPAGE, limit=12, user_id=f"{kind.lower()}-fan-0"))
    categories = [category for _, category, _ in items]
    assert categories[:3] == [kind] * 3
    assert categories.count(kind) == 4
    assert len(set(categories)) == 4
    assert not {f"{kind.lower()}-0", f"{kind.lower()}-1"} & {product for product, _, _ in items}


def test_a_product_page_shows_its_like_and_its_cart_what_was_bought_with_it(shop: None) -> None:
    alike = shown(Query(Placement.PRODUCT, limit=5, anchors=("garden-4",)))
    assert {category for _, category, _ in alike} == {"Garden"}
    assert shown(Query(Placement.CART, limit=5, anchors=("sports-0",)))[0][0] == "sports-1"
    together = shown(Query(Placement.BOUGHT_TOGETHER, limit=5, anchors=("sports-0",)))
    assert together[0] == ("sports-1", "Sports", "bought_together")
    assert {code for _, _, code in together[1:]} == {"complements"}


def test_a_guest_is_followed_from_the_first_click(shop: None) -> None:
    assert shown(Query(Placement.HOMEPAGE, limit=12))[0][2] == "popular"
    did("view", "books-5", session="guest")
    assert shown(Query(Placement.HOMEPAGE, limit=12, session_id="guest"))[0][1] == "Books"


def test_what_was_bought_together_comes_first_however_much_reads_alike() -> None:
    anchor = make_product("anchor", axis=0)
    for number in range(170):
        make_product(f"alike-{number}", axis=0, tilt=number / 400)
    for number in range(8):
        make_product(f"other-{number}", axis=100 + number)
    for number in range(8):
        for order in range(2 + 3 * (number == 0)):
            for product in ("anchor", f"other-{number}"):
                did("purchase", product, user=f"u{number}-{order}", order=f"{number}-{order}", days_ago=3)
    train()
    items = shown(Query(Placement.BOUGHT_TOGETHER, limit=10, anchors=(anchor.product_id,)))
    assert [code for _, _, code in items] == ["bought_together"] * 8 + ["complements"] * 2


def test_tuning_leaves_it_alone(shop: None) -> None:
    before = ModelVersion.objects.get(state="active")
    tuned = tune(minutes=1)
    assert not tuned.adopted
    assert from_json(tuned.version.settings) == EngineSettings()
    assert ModelVersion.objects.get(state="active") == before
    assert all("50 events" in choice.why for choice in tuned.choices.values())
