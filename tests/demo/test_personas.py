"""The ten named shoppers: the brief's table to the letter."""

import math
from collections import Counter
from datetime import timedelta

import pytest

from reemio.demo.personas import SHOPPERS, DemoShopper
from reemio.demo.population import Event
from reemio.demo.regulars import WEIGHTS
from tests.demo.made_up import BY_ID, NOW, SEED, kinds, personas

each_shopper = pytest.mark.parametrize("shopper", SHOPPERS, ids=lambda one: one.user_id)


def history(shopper: DemoShopper, seed: int = SEED) -> list[Event]:
    return [event for event in personas(seed) if event["user_id"] == shopper.user_id]


@pytest.mark.parametrize("seed", [42, 1, 2026])
def test_the_ten_shoppers_have_exactly_the_briefs_numbers_of_interactions(seed: int) -> None:
    counts = Counter(event["user_id"] for event in personas(seed))
    assert [counts[shopper.user_id] for shopper in SHOPPERS] == [101, 101, 73, 68, 67, 66, 54, 54, 40, 36]
    assert len(counts) == 10


@pytest.mark.parametrize("seed", [42, 1, 2026])
@each_shopper
def test_their_top_three_categories_by_number_are_the_tables(shopper: DemoShopper, seed: int) -> None:
    events = history(shopper, seed)
    ranking = Counter(BY_ID[event["product_id"]].department for event in events if event["product_id"]).most_common()
    assert tuple(name for name, _ in ranking[:3]) == shopper.top_categories
    first, second, third, fourth = (number for _, number in ranking[:4])
    assert first > second > third > fourth


@pytest.mark.parametrize("hours_later", [0, 9, 24 * 40])
@each_shopper
def test_their_decayed_interest_ranks_categories_alike_today_and_later(shopper: DemoShopper, hours_later: int) -> None:
    as_of = NOW + timedelta(hours=hours_later)
    interest: Counter[str] = Counter()
    for event in history(shopper):
        if event["product_id"]:
            days = (as_of - event["occurred_at"]) / timedelta(days=1)
            weight = WEIGHTS[event["interaction_type"]] * math.exp(-days / 30)
            interest[BY_ID[event["product_id"]].department] += weight  # type: ignore[assignment]
    ranking = interest.most_common()
    assert tuple(name for name, _ in ranking[:3]) == shopper.top_categories
    assert ranking[2][1] > 1.1 * ranking[3][1]


@pytest.mark.parametrize("seed", [42, 1, 2026])
@each_shopper
def test_their_cheapest_and_dearest_products_cost_what_the_table_says(shopper: DemoShopper, seed: int) -> None:
    prices = [BY_ID[event["product_id"]].price for event in history(shopper, seed) if event["product_id"]]
    assert (min(prices), max(prices)) == (shopper.price_min, shopper.price_max)


@each_shopper
def test_their_visits_spread_over_sixty_days_and_none_lies_ahead(shopper: DemoShopper) -> None:
    ages = [(NOW - event["occurred_at"]) / timedelta(days=1) for event in history(shopper)]
    assert min(ages) >= 0
    assert 40 <= max(ages) <= 60


def test_wanjiku_buys_much_and_follows_recommendations() -> None:
    counts = kinds(history(SHOPPERS[0]))
    assert counts["purchase"] >= 18
    assert counts["recommendation_click"] >= 5


def test_otieno_looks_at_much_and_carries_little() -> None:
    counts = kinds(history(SHOPPERS[1]))
    assert counts["view"] >= 70
    assert counts["cart_add"] <= 4


def test_akinyi_fills_carts_and_left_the_last_one_three_hours_ago() -> None:
    events = history(SHOPPERS[9])
    counts = kinds(events)
    assert counts["cart_add"] >= 10
    assert counts["purchase"] <= 1
    assert events[-1]["interaction_type"] == "cart_add"
    assert timedelta(hours=2, minutes=50) < NOW - events[-1]["occurred_at"] < timedelta(hours=3, minutes=10)


def test_nobody_else_has_an_open_cart_that_calls_for_a_reminder_today() -> None:
    for shopper in SHOPPERS[:9]:
        assert NOW - history(shopper)[-1]["occurred_at"] > timedelta(hours=26)


@pytest.mark.parametrize("shopper", [SHOPPERS[2], SHOPPERS[4]], ids=lambda one: one.user_id)
def test_search_heavy_shoppers_search_with_filters(shopper: DemoShopper) -> None:
    searches = [event for event in history(shopper) if event["interaction_type"] == "search"]
    assert len(searches) >= 22
    for event in searches:
        assert event["search_query"]
        assert event["product_id"] is None
        assert event["extra_data"]["filters"]["category"]
        assert event["extra_data"]["resultsCount"] >= 1


@pytest.mark.parametrize("shopper", [SHOPPERS[3], SHOPPERS[7]], ids=lambda one: one.user_id)
def test_reco_responders_click_what_they_were_shown(shopper: DemoShopper) -> None:
    assert kinds(history(shopper))["recommendation_click"] >= 0.15 * shopper.interactions


@pytest.mark.parametrize("shopper", [SHOPPERS[5], SHOPPERS[6], SHOPPERS[8]], ids=lambda one: one.user_id)
def test_light_users_mostly_look(shopper: DemoShopper) -> None:
    counts = kinds(history(shopper))
    assert counts["view"] >= 0.5 * shopper.interactions
    assert counts["purchase"] <= 3
