"""What lists did, as pages and API tell it: which rows make up a figure, in which currency, and how long lists took."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings

from analytics.performance import Figures, Filters, Latency, grouped, latencies, percentile, series, told_by, total
from analytics.periods import Period
from analytics.rollups.run import roll_up
from analytics.sales import revenue_in
from interactions.models import Interaction
from recommendations.models import ServedList

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = Period(NOON.date(), NOON.date())


def served(**fields: Any) -> uuid.UUID:
    known = {"served_at": NOON, "placement": "homepage", "context": "homepage", "strategy": "personalized",
             "products": ["a", "b"], "scores": [1.0, 0.9], "milliseconds": 1.0}  # fmt: skip
    return ServedList.objects.create(**known | fields).request_id


def did(kind: str, product_id: str, request_id: uuid.UUID | None = None, **fields: Any) -> None:
    known = {"user_id": "ann", "occurred_at": NOON + timedelta(minutes=1)}
    Interaction.objects.create(
        interaction_type=kind, product_id=product_id, recommendation_request_id=request_id, **known | fields
    )


def buy(product_id: str, price: int, currency: str = "EUR", order_id: str = "o1") -> None:
    did("purchase", product_id, unit_price=Decimal(price), currency=currency, order_id=order_id,
        occurred_at=NOON + timedelta(hours=1))  # fmt: skip


@pytest.fixture
def home(db: None) -> uuid.UUID:
    """A list for each of two products: both seen twice, on the phone; one clicked and bought, with something else."""
    home = served(asked_for=3, variant="test:A")
    served(strategy="popular", products=["a"], scores=[1.0], asked_for=1, placement="cart", context="cart")
    for request_id in (home, served(variant="test:A")):
        for product_id in "ab":
            did("recommendation_view", product_id, request_id, extra_data={"device": "mobile"})
    did("recommendation_click", "b", home, extra_data={"device": "mobile"})
    buy("b", 30)
    buy("z", 5)
    return home


def test_each_rate_has_its_own_numerator_and_denominator(home: uuid.UUID) -> None:
    roll_up()
    found = total(TODAY)
    assert found == Figures(
        lists=3, asked=4, filled=3, items=5, impressions=4, unique_impressions=2, clicks=1, conversions=1,
        assisted_lines=1, direct_revenue=Decimal(30), assisted_revenue=Decimal(5), currency="EUR", fallback_lists=1,
    )  # fmt: skip
    rates = (found.click_through_rate, found.conversion_rate, found.fill_rate, found.fallback_rate)
    assert [(one.successes, one.trials) for one in rates] == [(1, 4), (1, 1), (3, 4), (1, 3)]
    assert found.revenue_per_thousand == Decimal(7500)
    assert Figures().revenue_per_thousand is None


def test_filters_narrow_what_was_seen_and_what_was_earned(home: uuid.UUID) -> None:
    roll_up()
    for filters in (Filters(placement="homepage"), Filters(strategy="personalized"), Filters(variant="test:A")):
        assert (total(TODAY, filters=filters).lists, total(TODAY, filters=filters).direct_revenue) == (2, Decimal(30))
    found = total(TODAY, filters=Filters(device="mobile"))
    assert (found.lists, found.impressions, found.assisted_revenue) == (0, 4, Decimal(5))
    for filters in (Filters(placement="cart"), Filters(strategy="popular"), Filters(context="cart")):
        assert total(TODAY, filters=filters) == Figures(
            lists=1, asked=1, filled=1, items=1, fallback_lists=1, currency=settings.REEMIO_DEFAULT_CURRENCY
        )


def test_revenue_is_that_of_one_currency_and_conversions_are_those_of_all(home: uuid.UUID) -> None:
    did("recommendation_click", "a", home)
    buy("a", 34, "GBP", "o2")
    roll_up()
    found = total(TODAY)
    assert (found.currency, found.direct_revenue, found.assisted_revenue) == ("EUR", Decimal(30), Decimal(5))
    assert (found.conversions, found.assisted_lines) == (2, 1)
    buy("y", 1, "GBP", "o2")
    roll_up()
    assert total(TODAY).currency == "EUR", "of equals the first by name"
    assert (revenue_in(TODAY, currency="EUR"), revenue_in(TODAY, currency="GBP")) == (Decimal(35), Decimal(35))
    buy("x", 1, "GBP", "o2")
    roll_up()
    found = total(TODAY)
    assert (found.currency, found.direct_revenue, found.assisted_revenue) == ("GBP", Decimal(34), Decimal(2))
    assert [(key, one.direct_revenue) for key, one in grouped(TODAY, ["position"]).items() if one.clicks] == [
        ((1,), Decimal(34)), ((2,), Decimal(0))
    ]  # fmt: skip


def test_by_position_served_are_places_and_what_belongs_to_whole_lists_is_left_out(home: uuid.UUID) -> None:
    roll_up()
    names = ("position", "served", "impressions", "clicks", "click_through_rate", "attributed_revenue")
    assert [tuple(item[name] for name in names) for item in told_by(TODAY, "position")] == [
        (1, 3, 2, 0, 0.0, Decimal(0)), (2, 2, 2, 1, 0.5, Decimal(30))
    ]  # fmt: skip


def test_what_was_told_without_a_list_has_neither_place_nor_device(home: uuid.UUID) -> None:
    did("recommendation_view", "a", uuid.uuid4())
    roll_up()
    for group_by, first in (("position", (None, 0, 1)), ("device", (None, None, 1))):
        found = told_by(TODAY, group_by)[0]
        assert (found[group_by], found["served"], found["impressions"]) == first


def test_a_series_has_each_day_of_the_period_and_no_other(home: uuid.UUID) -> None:
    for days in (-1, 1):
        served(served_at=NOON + timedelta(days=days))
    midnight = NOON.replace(hour=0)
    for moment in (midnight, midnight + timedelta(days=1)):
        served(served_at=moment)
    roll_up()
    assert [(day, found.lists) for day, found in series(TODAY)] == [(midnight, 4)]
    assert [item["served"] for item in told_by(Period(TODAY.first - timedelta(days=1), TODAY.last), "day")] == [1, 4]


def test_a_percentile_is_the_upper_bound_of_the_bucket_that_reaches_it() -> None:
    histogram = {16: 10, 0: 10, 8: 80}  # up to 4, 1 and 2 milliseconds
    assert [percentile(histogram, share) for share in (0.1, 0.11, 0.9, 0.91, 1)] == [1.0, 2.0, 2.0, 4.0, 4.0]
    assert percentile({1: 1}, 0.5) == 1.09
    assert percentile({}, 0.5) is None


@pytest.mark.django_db
def test_latencies_are_told_by_placement_and_of_all_together() -> None:
    for placement, milliseconds in (
        [("homepage", 1.0)] * 11 + [("homepage", 4.0)] * 7 + [("homepage", 8.0), ("cart", 16.0)]
    ):
        served(placement=placement, milliseconds=milliseconds)
    served(milliseconds=0.0)
    roll_up()
    assert latencies(TODAY) == {
        "": Latency(20, 1.0, 8.0), "cart": Latency(1, 16.0, 16.0), "homepage": Latency(19, 1.0, 8.0)
    }  # fmt: skip
