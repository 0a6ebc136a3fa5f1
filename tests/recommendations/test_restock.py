"""Time to restock: what is bought again and again comes back when its usual interval has passed, and only then."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommendations.contracts import Placement, Query
from recommendations.history import Event
from recommendations.learning.own import OwnRepeats
from recommendations.learning.restock import restock_days
from recommendations.learning.train import train
from recommendations.pipeline import recommend
from recommendations.restock import restock
from tests.recommendations.conftest import did, make_product
from tests.recommendations.test_signals import DAYS, events

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def bought(product: int, days_ago: float) -> Event:
    return Event(product, "purchase", NOW - timedelta(days=days_ago), fresh=False, user=True)


@pytest.mark.parametrize(
    ("days_ago", "due", "waiting"),
    [(9.0, {}, {1}), (10.0, {1: 1.0}, set()), (20.0, {1: 0.5}, set()), (31.0, {}, set())],
)
def test_a_product_is_due_from_its_interval_until_it_was_given_up(
    days_ago: float, due: dict[int, float], waiting: set[int]
) -> None:
    found = restock([bought(1, days_ago)], {1: 10.0}, now=NOW)
    assert (found.due, found.waiting) == (due, waiting)


def test_the_shoppers_own_interval_counts_as_soon_as_there_is_one() -> None:
    weekly = [bought(1, 8.0), bought(1, 15.0), bought(1, 22.0)]
    # (14 days in 2 intervals + 2 × 30) / 4 = 18.5 days: not yet, where the usual interval is long.
    assert restock(weekly, {1: 30.0}, now=NOW).waiting == {1}
    assert restock(weekly, {1: 8.0}, now=NOW).due == {1: pytest.approx(7.5 / 8)}


def test_what_is_not_bought_again_is_neither_due_nor_waiting_and_a_list_reminds_of_two() -> None:
    several = [bought(product, 10.0 + product) for product in range(1, 6)]
    found = restock(several, dict.fromkeys(range(1, 5), 10.0) | {5: 0.0}, now=NOW)
    assert list(found.due) == [1, 2]


def test_repeat_rates_are_learned_from_orders_and_shared_within_a_category() -> None:
    coffee = [(person, 0, 10.0 * visit, person * 10 + visit) for person in range(6) for visit in range(3)]
    sofas = [(person, 1, 5.0, person * 10 + 7) for person in range(6)]
    own = OwnRepeats(events(*coffee, *sofas, persons=6), until=40 * DAYS)
    days = restock_days(own, np.array([0, 1, 1]))
    assert days[0] == pytest.approx(10.0, rel=0.1)
    assert days[1:].tolist() == [0.0, 0.0]


@pytest.mark.django_db(transaction=True)
def test_coffee_comes_back_when_it_is_due_and_a_lamp_does_not() -> None:
    for number, product in enumerate(("coffee", "lamp", "tent", "stove")):
        make_product(product, axis=number * 9, category=product)
    for number in range(8):
        for days_ago in (40, 26, 12):
            did(
                "purchase",
                "coffee",
                user=f"drinker-{number}",
                order=f"{number}-{days_ago}",
                days_ago=days_ago + number / 10,
            )
        did("purchase", "lamp", user=f"drinker-{number}", order=f"lamp-{number}", days_ago=20)
        did("view", "tent", user=f"drinker-{number}", days_ago=2)
    train()

    def shown(days_on: float) -> dict[str, str]:
        moment = datetime.now(UTC) + timedelta(days=days_on)
        items = recommend(Query(Placement.HOMEPAGE, limit=4, user_id="drinker-0", as_of=moment)).items
        return {item.facts.product_id: item.reason.code for item in items}

    assert "coffee" not in shown(0)
    assert shown(5)["coffee"] == "time_to_restock"
    assert "lamp" not in shown(5)
