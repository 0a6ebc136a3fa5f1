"""What happens counts at once, and once: neighbours follow events, new products are found, drift is measured."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from recommendations.contracts import Placement, Query
from recommendations.learning import pairing
from recommendations.learning.drift import deviations, measure
from recommendations.learning.folding import fold_fresh
from recommendations.learning.pairing import Had, new_pairs
from recommendations.learning.train import train
from recommendations.models import FreshPair, ModelVersion, ProductPopularity, Taste
from recommendations.pipeline import recommend
from recommendations.tasks import fold, measure_drift
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

TOGETHER = "/api/v1/recommendations/frequently-bought-together/"
SIMILAR = "/api/v1/recommendations/product/"


@pytest.fixture
def trained() -> None:
    """Twelve things of different kinds; four shoppers bought tent and stove together."""
    for number, name in enumerate(("tent", "stove", "lamp", "rope", "map", *(f"thing-{one}" for one in range(7)))):
        make_product(name, axis=10 * number, category=f"Kind {number}")
    for number in range(4):
        for name in ("tent", "stove"):
            did("purchase", name, user=f"camper-{number}", order=f"o{number}", days_ago=3)
        did("view", f"thing-{number}", user=f"camper-{number}", days_ago=3)
    train()


def shown(api: APIClient, path: str) -> list[tuple[str, str]]:
    return [(item["product_id"], item["reason"]["text"]) for item in api.get(path).json()["items"]]


def test_bought_together_follows_an_order_without_training(api: APIClient, trained: None) -> None:
    first = shown(api, f"{TOGETHER}tent")[0]
    assert first == ("stove", "Bought together with Tent in 4 orders")
    for name in ("tent", "stove"):
        did("purchase", name, user="camper-9", order="o9")
    for number in range(3):
        for name in ("tent", "lamp"):
            did("purchase", name, user=f"reader-{number}", order=f"lamp-{number}")
    assert fold() == 8
    found = dict(shown(api, f"{TOGETHER}tent"))
    assert found["stove"] == "Bought together with Tent in 5 orders"
    assert found["lamp"] == "Bought together with Tent in 3 orders"
    assert ModelVersion.objects.count() == 1


def test_what_follows_equals_what_training_would_learn(api: APIClient, trained: None) -> None:
    for number in range(3):
        for name in ("tent", "lamp"):
            did("purchase", name, user=f"reader-{number}", order=f"lamp-{number}")
    fold()
    followed = api.get(f"{TOGETHER}tent?limit=2").json()["items"]
    train()
    learned = api.get(f"{TOGETHER}tent?limit=2").json()["items"]
    assert [item["product_id"] for item in followed] == [item["product_id"] for item in learned] == ["stove", "lamp"]
    assert [item["reason"] for item in followed] == [item["reason"] for item in learned]
    for one, other in zip(followed, learned, strict=True):
        assert one["signals"]["collaborative"] == pytest.approx(other["signals"]["collaborative"], abs=1e-6)


def test_neighbours_follow_views_and_say_how_many_shoppers(api: APIClient, trained: None) -> None:
    for number in range(6):
        did("view", "rope", user=f"climber-{number}")
        did("view", "map", user=f"climber-{number}")
    fold()
    did("view", "rope", user="amina")
    texts = dict(shown(api, "/api/v1/recommendations/homepage?user_id=amina"))
    assert texts["map"] == "Because you viewed Rope — 6 shoppers chose both"


def test_a_shop_that_never_trained_learns_from_its_first_orders(api: APIClient) -> None:
    for number in range(5):
        make_product(f"p{number}", axis=10 * number)
    for number in range(3):
        for name in ("p1", "p2"):
            did("purchase", name, user=f"u{number}", order=f"o{number}")
    fold()
    assert shown(api, f"{TOGETHER}p1")[0] == ("p2", "Bought together with P1 in 3 orders")


def test_lists_of_the_past_do_not_know_what_was_folded_since(trained: None) -> None:
    past = datetime.now(UTC) - timedelta(hours=1)
    for number in range(3):
        for name in ("tent", "lamp"):
            did("purchase", name, user=f"reader-{number}", order=f"lamp-{number}")
    fold()
    before = recommend(Query(Placement.BOUGHT_TOGETHER, 3, anchors=("tent",), as_of=past)).items
    assert [item.scored.support for item in before if item.scored.collaborative] == [4]


def test_training_begins_an_epoch_and_old_pairs_go_with_their_versions(trained: None) -> None:
    for name in ("tent", "lamp"):
        did("purchase", name, user="reader", order="lamp")
    fold()
    assert set(FreshPair.objects.values_list("epoch", flat=True)) == {ModelVersion.objects.get().pk}
    for _ in range(4):
        train()
    assert not FreshPair.objects.exists()


def test_an_event_that_waits_while_training_reads_is_counted_once(api: APIClient, trained: None) -> None:
    """Training folds what waits before it reads, so nothing is in the version and folded again later."""
    for name in ("tent", "stove"):
        did("purchase", name, user="camper-9", order="o9")
    train()
    assert fold() == 0
    assert shown(api, f"{TOGETHER}tent")[0] == ("stove", "Bought together with Tent in 5 orders")


def test_seeing_a_product_again_makes_no_new_pair(trained: None) -> None:
    did("view", "tent", user="camper-0")
    did("view", "lamp", user="camper-0")
    did("view", "lamp", user="camper-0")
    fold()
    counts = dict(FreshPair.objects.filter(product=make_pk("lamp")).values_list("other", "persons"))
    assert counts == dict.fromkeys([make_pk(name) for name in ("lamp", "tent", "stove", "thing-0")], 1)


def test_a_product_keeps_its_best_pairs_only_however_many_come(trained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pairing, "MOST_PAIRS", 2)
    monkeypatch.setattr(pairing, "FOLDINGS_BETWEEN_PRUNINGS", 1000)

    def others() -> dict[int, tuple[int, int]]:
        pairs = FreshPair.objects.filter(product=make_pk("tent")).exclude(other=make_pk("tent"))
        return {pair.other: (pair.persons, pair.orders) for pair in pairs}

    for number, other in enumerate(("lamp", "lamp", "rope", "map", "thing-5")):
        for name in ("tent", other):
            did(
                "purchase" if other == "map" else "view",
                name,
                user=f"new-{number}",
                order="one" if other == "map" else None,
            )
    fold()
    assert others() == {
        make_pk("lamp"): (2, 0),
        make_pk("rope"): (1, 0),
        make_pk("map"): (1, 1),
        make_pk("thing-5"): (1, 0),
    }
    monkeypatch.setattr(pairing, "FOLDINGS_BETWEEN_PRUNINGS", 2)
    for name in ("thing-6", "stove"):
        did("view", name, user="new-0")
        fold()
    assert others() == {make_pk("map"): (1, 1), make_pk("lamp"): (2, 0)}
    # How many came to have a product is what scores divide by: that stays.
    singles = FreshPair.objects.filter(product=F("other"), product__gt=0).values_list("product", "persons")
    assert dict(singles)[make_pk("rope")] == 1
    assert dict(singles)[make_pk("tent")] == 5


def make_pk(product_id: str) -> int:
    from catalog.models import Product

    return Product.objects.get(product_id=product_id).pk


events = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 4)), max_size=30)


@given(events)
def test_however_events_are_split_into_foldings_each_pair_is_counted_once(split: list[tuple[int, int]]) -> None:
    history = [Had(number, product, None) for number, (product, _) in enumerate(split)]
    counted: Counter[Any] = Counter()
    for batch in range(5):
        claimed = {number for number, (_, of) in enumerate(split) if of == batch}
        seen = [one for one in reversed(history) if split[one.event][1] <= batch]
        counted.update(new_pairs(seen, claimed, most=20))
    products = {product for product, _ in split}
    assert counted == Counter({(one, other): 1 for one in products for other in products})


def test_a_new_product_is_recommended_by_content_without_training(api: APIClient, tmp_path: Path) -> None:
    """Sync, embed, ask: what precomputed lists know does not matter."""
    others = ("Garden hose", "Coffee mug", "Trail shoes", "Desk lamp", "Cat litter", "Olive oil", "Wool socks")
    titles = {"ukulele-1": "Soprano ukulele", "ukulele-2": "Concert ukulele"}
    titles |= {f"other-{number}": title for number, title in enumerate(others)}
    path = tmp_path / "products.csv"

    def sync() -> None:
        lines = ["product_id,title,price", *(f"{name},{title},9.90" for name, title in titles.items())]
        path.write_text("\n".join(lines))
        call_command("sync_products", source="file", path=path, verbosity=0)

    sync()
    train()
    did("view", "ukulele-1", user="musician")
    fold()
    titles["ukulele-3"] = "Tenor ukulele"
    sync()
    assert {name for name, _ in shown(api, f"{SIMILAR}ukulele-1?limit=2")} == {"ukulele-2", "ukulele-3"}
    homepage = {name for name, _ in shown(api, "/api/v1/recommendations/homepage?user_id=musician&limit=3")}
    assert {"ukulele-2", "ukulele-3"} < homepage
    assert ModelVersion.objects.count() == 1


def test_without_disturbance_there_is_no_drift(trained: None, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        did("view", f"thing-{number % 7}", user=f"u{number % 5}", days_ago=number % 3)
        did("purchase", ("tent", "lamp", "rope")[number % 3], user=f"u{number % 5}", order=f"x{number // 3}")
    fold()
    did("view", "lamp", user="waiting")
    found = list(measure(now=timezone.now() + timedelta(minutes=1)))
    assert [one.what for one in found] == [
        "popularity", "tastes", "common shoppers of neighbours", "common orders of companions",
    ]  # fmt: skip
    assert all(one.compared > 0 for one in found)
    assert all(one.passes and one.mean == pytest.approx(0, abs=1e-6) for one in found), found
    call_command("drift")
    assert capsys.readouterr().out.count("PASS") == 4


@pytest.mark.parametrize("what", ["popularity", "tastes", "common orders of companions"])
def test_drift_is_found_and_ends_with_an_error(
    trained: None, what: str, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("tent", "stove"):
        did("purchase", name, user="camper-9", order="o9")
    fold()
    if what == "popularity":
        ProductPopularity.objects.filter(product__product_id="tent").update(score=1e9)
    elif what == "tastes":
        Taste.objects.filter(subject="u:camper-0").update(vector=[1.0] * 384)
    else:
        FreshPair.objects.filter(orders__gt=0).update(orders=99)
    with pytest.raises(CommandError, match=what):
        call_command("drift")
    assert "FAIL" in capsys.readouterr().out
    measure_drift()
    train()
    call_command("drift") if what != "tastes" else call_command("update_preferences")
    call_command("drift")


def test_deviations_are_relative_to_the_larger() -> None:
    import numpy as np

    found = deviations(np.array([10.0, 0.0, 4.0, 0.0]), np.array([5.0, 2.0, 4.0, 1e-12]))
    assert found.tolist() == [0.5, 1.0, 0.0, 0.0]
    assert deviations(np.zeros(0), np.zeros(0)).tolist() == []


def test_folding_pairs_costs_two_queries_more(trained: None, django_assert_max_num_queries: Any) -> None:
    for number in range(50):
        did("view", f"thing-{number % 7}", user=f"u{number % 5}")
    with django_assert_max_num_queries(18):
        fold_fresh()
