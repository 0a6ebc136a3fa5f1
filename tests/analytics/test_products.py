"""What happened to products: ranked by any measure, with the rank before, and what was never shown or never clicked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from analytics.periods import Period
from analytics.products import RANKED_BY, never_clicked, ranked, survey
from analytics.rollups.run import roll_up
from catalog.models import Product
from interactions.models import Interaction
from recommendations.models import ServedList

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = Period(NOON.date(), NOON.date())
BEFORE = Period(NOON.date() - timedelta(days=1), NOON.date() - timedelta(days=1))


def did(kind: str, product_id: str, times: int = 1, at: datetime = NOON, **fields: Any) -> None:
    for _ in range(times):
        Interaction.objects.create(
            interaction_type=kind, product_id=product_id, occurred_at=at, user_id="ann", **fields
        )


@pytest.fixture
def shop(db: None) -> None:
    for name in "abcd":
        Product.objects.create(product_id=name, title=name.upper(), category="Things", price=Decimal(5), currency="USD")
    served = ServedList.objects.create(
        served_at=NOON, placement="homepage", context="homepage", strategy="popular", products=["a", "b", "c"],
        scores=[1.0, 0.9, 0.8], milliseconds=1,
    )  # fmt: skip
    for name in "ab":
        did("recommendation_view", name, recommendation_request_id=served.request_id)
    did("recommendation_click", "a", recommendation_request_id=served.request_id)
    did("view", "a", 2)
    did("view", "b", 3)
    did("view", "a", 5, NOON - timedelta(days=1))
    did("purchase", "a", quantity=2)
    did("purchase", "d", quantity=1)
    roll_up()


def test_products_are_ranked_with_the_rank_before(shop: None) -> None:
    found = ranked(TODAY, by="views", before=BEFORE)
    assert [(one.rank, one.earlier_rank, one.product_id, one.views) for one in found] == [
        (1, None, "b", 3), (2, 1, "a", 2)
    ]  # fmt: skip
    assert (found[1].impressions, found[1].clicks, found[1].units, found[1].revenue) == (1, 1, 2, Decimal(10))


@pytest.mark.parametrize(
    ("by", "products"),
    [("recommended", "abc"), ("impressions", "ab"), ("clicks", "a"), ("purchases", "ad"), ("units", "ad"),
     ("revenue", "ad"), ("cart_adds", ""), ("out_of_stock", "")],
)  # fmt: skip
def test_any_measure_ranks(shop: None, by: str, products: str) -> None:
    assert "".join(one.product_id for one in ranked(TODAY, by=by)) == products
    assert (
        "".join(one.product_id for one in ranked(Period(datetime(1990, 1, 1, tzinfo=UTC).date(), TODAY.last), by=by))
        == products
    )


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="ranked by one of views"):
        ranked(TODAY, by="price")
    assert "views" in RANKED_BY


def test_what_was_never_clicked_and_never_shown_is_told(shop: None) -> None:
    assert [one.product_id for one in never_clicked(TODAY)] == ["b"]
    found = survey(TODAY, never=20)
    assert (found.coverage.successes, found.coverage.trials) == (3, 4)
    assert found.never == [("d", "D")]
    assert found.concentration.value == 0.5
    assert found.out_of_stock == 0


def test_what_was_served_while_it_could_not_be_bought_is_counted(shop: None) -> None:
    Product.objects.filter(product_id="a").update(stock_quantity=0)
    later = datetime.now(UTC) + timedelta(seconds=10)
    ServedList.objects.create(
        served_at=later, placement="homepage", context="homepage", strategy="popular", products=["a", "b"],
        scores=[1.0, 0.9], milliseconds=1,
    )  # fmt: skip
    roll_up()
    assert survey(Period(later.date(), later.date())).out_of_stock == 1


def test_a_day_whose_midnight_comes_twice_is_read_whole(shop: None, settings: Any) -> None:
    settings.REEMIO_SHOP_TIME_ZONE = "America/Havana"
    for hour in (4, 5, 28):
        did("view", "a", at=datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=hour, minutes=30))
    roll_up()
    day = datetime(2026, 11, 1, tzinfo=UTC).date()
    assert [one.views for one in ranked(Period(day, day), by="views")] == [3]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana"])
def test_a_period_is_read_by_weeks_and_days_that_make_it_up_whole(zone: str, shop: None, settings: Any) -> None:
    settings.REEMIO_SHOP_TIME_ZONE = zone
    first = datetime(2026, 10, 19, 12, tzinfo=UTC)  # a Monday; clocks change on 25 October, and on 1 November
    for day in range(28):
        did("view", "a", at=first + timedelta(days=day))
    roll_up()
    for begin in range(9):
        for length in (1, 6, 7, 8, 13, 14, 19):
            last = first + timedelta(days=begin + length - 1)
            period = Period((first + timedelta(days=begin)).date(), last.date())
            assert [one.views for one in ranked(period, by="views")] == [length], period
