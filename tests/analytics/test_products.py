"""What happened to products: ranked by any measure, with the rank before, and what was never shown or never clicked."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from analytics.narrowing import EVERYTHING, Narrowing
from analytics.periods import Period
from analytics.products import RANKED_BY, SURVEYED, figures_of, never_clicked, ranked, survey
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


def test_a_products_revenue_is_that_of_the_currency_that_earned_it_the_most(shop: None) -> None:
    for product_id, price, currency in (("b", 6, "USD"), ("b", 6, "EUR"), ("c", 9, "EUR"), ("c", 1, "USD")):
        did("purchase", product_id, unit_price=Decimal(price), currency=currency)
    did("purchase", "b", unit_price=Decimal(0), currency="GBP")
    did("purchase", "nowhere", unit_price=Decimal(0))
    Product.objects.create(product_id="free", title="Free", price=Decimal(0))
    did("purchase", "free")
    roll_up()
    found = ranked(TODAY, by="revenue", before=BEFORE)
    assert [(one.rank, one.product_id, one.revenue, one.currency) for one in found] == [
        (1, "a", Decimal(10), "USD"), (2, "c", Decimal(9), "EUR"), (3, "b", Decimal(6), "EUR"),
        (4, "d", Decimal(5), "USD"),
    ]  # fmt: skip
    assert {(one.purchases, one.earlier_rank) for one in found} == {(1, None), (2, None), (3, None)}


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


def test_only_what_can_be_bought_is_covered_or_missed(shop: None) -> None:
    for name, stock, is_active in (("e", 0, True), ("f", 1, True), ("g", None, False)):
        Product.objects.create(product_id=name, title=name.upper(), stock_quantity=stock, is_active=is_active)
    Product.objects.filter(product_id="c").update(stock_quantity=0)
    found = survey(TODAY, never=20)
    assert (found.coverage.successes, found.coverage.trials) == (2, 4)
    assert found.never == [("d", "D"), ("f", "F")]


def test_what_was_seen_most_often_without_a_click_comes_first(shop: None) -> None:
    for _ in range(2):
        served = ServedList.objects.create(
            served_at=NOON, placement="cart", context="cart", strategy="cart", products=["c", "d"], scores=[1.0, 0.9],
            milliseconds=1,
        )  # fmt: skip
        for product_id in "dc":
            did("recommendation_view", product_id, recommendation_request_id=served.request_id)
    roll_up()
    assert [one.product_id for one in never_clicked(TODAY)] == ["c", "d", "b"]
    rate = ranked(TODAY, by="recommended")[0].click_through_rate
    assert (rate.successes, rate.trials) == (0, 2)


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


@pytest.mark.parametrize("narrowing", [EVERYTHING, Narrowing(device="mobile")], ids=["all", "narrowed"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Havana"])
def test_a_period_is_read_by_weeks_and_days_that_make_it_up_whole(
    zone: str, narrowing: Narrowing, shop: None, settings: Any
) -> None:
    settings.REEMIO_SHOP_TIME_ZONE = zone
    first = datetime(2026, 10, 19, 12, tzinfo=UTC)  # a Monday; clocks change on 25 October, and on 1 November
    for day in range(28):
        did("view", "a", at=first + timedelta(days=day), extra_data={"device": "mobile"})
    roll_up()
    for begin in range(9):
        for length in (1, 6, 7, 8, 13, 14, 19):
            last = first + timedelta(days=begin + length - 1)
            period = Period((first + timedelta(days=begin)).date(), last.date())
            assert [one.views for one in ranked(period, by="views", narrowing=narrowing)] == [length], period


@pytest.fixture
def two_places(shop: None) -> None:
    """Let two people see lists in cart and product page, on phone and desktop, and buy what they clicked."""
    for placement, strategy, device, user, products in (
        ("cart", "cart", "mobile", "bea", ["b", "c"]),
        ("product", "similar", "desktop", "cem", ["c", "d"]),
        ("product", "popular", "mobile", "cem", ["d", "a"]),
    ):
        served = ServedList.objects.create(
            served_at=NOON, placement=placement, context="", strategy=strategy, products=products, scores=[1.0, 0.5],
            milliseconds=1,
        )  # fmt: skip
        about = {
            "user_id": user, "occurred_at": NOON, "recommendation_request_id": served.request_id,
            "extra_data": {"device": device},
        }  # fmt: skip
        for name in products:
            Interaction.objects.create(interaction_type="recommendation_view", product_id=name, **about)
        Interaction.objects.create(interaction_type="recommendation_click", product_id=products[0], **about)
        Interaction.objects.create(
            interaction_type="purchase", product_id=products[0], user_id=user, quantity=3, unit_price=Decimal(2),
            occurred_at=NOON + timedelta(hours=1), extra_data={"device": "desktop"},
        )  # fmt: skip
    roll_up()


FIGURES = ("product_id", "views", "recommended", "impressions", "clicks", "purchases", "units", "revenue")


def told(narrowing: Narrowing, by: str) -> list[tuple[Any, ...]]:
    return [
        tuple(getattr(one, name) for name in FIGURES)
        for one in ranked(TODAY, by=by, before=BEFORE, narrowing=narrowing)
    ]


@pytest.mark.parametrize(
    ("narrowing", "by", "expected"),
    [
        # Credited to the lists of one placement: what was bought after a click in them.
        (Narrowing(placement="cart"), "recommended",
         [("b", 0, 1, 1, 1, 1, 0, Decimal(6)), ("c", 0, 1, 1, 0, 0, 0, Decimal(0))]),
        (Narrowing(placement="product"), "recommended",
         [("d", 0, 2, 2, 1, 1, 0, Decimal(6)), ("a", 0, 1, 1, 0, 0, 0, Decimal(0)),
          ("c", 0, 1, 1, 1, 1, 0, Decimal(6))]),
        (Narrowing(placement="product", strategy="popular"), "revenue", [("d", 0, 1, 1, 1, 1, 0, Decimal(6))]),
        (Narrowing(strategy="similar"), "clicks", [("c", 0, 1, 1, 1, 1, 0, Decimal(6))]),
        (Narrowing(placement="product", device="mobile"), "impressions",
         [("a", 0, 0, 1, 0, 0, 0, Decimal(0)), ("d", 0, 0, 1, 1, 1, 0, Decimal(6))]),
        (Narrowing(placement="cart", strategy="similar"), "impressions", []),
        # On one device: everything that was bought on it, after a click or not; a list knows no device.
        (Narrowing(device="desktop"), "units",
         [("b", 0, 0, 0, 0, 1, 3, Decimal(6)), ("c", 0, 0, 1, 1, 1, 3, Decimal(6)),
          ("d", 0, 0, 1, 0, 1, 3, Decimal(6))]),
        (Narrowing(device="desktop"), "recommended", []),
        (Narrowing(device="tablet"), "views", []),
    ],
)  # fmt: skip
def test_products_are_told_of_one_placement_strategy_and_device(
    two_places: None, narrowing: Narrowing, by: str, expected: list[tuple[Any, ...]]
) -> None:
    assert told(narrowing, by) == expected


def test_a_narrowed_rank_is_compared_with_that_among_the_same_lists(two_places: None) -> None:
    for name, times in (("b", 1), ("c", 2)):
        for _ in range(times):
            ServedList.objects.create(
                served_at=NOON - timedelta(days=1), placement="cart", context="cart", strategy="cart", products=[name],
                scores=[1.0], milliseconds=1,
            )  # fmt: skip
    roll_up()
    found = ranked(TODAY, by="recommended", before=BEFORE, narrowing=Narrowing(placement="cart"))
    assert [(one.product_id, one.rank, one.earlier_rank) for one in found] == [("b", 1, 2), ("c", 2, 1)]


def test_what_was_never_shown_or_clicked_is_told_of_one_placement(two_places: None) -> None:
    cart = Narrowing(placement="cart")
    found = survey(TODAY, ignored=9, never=9, narrowing=cart)
    assert (found.coverage.successes, found.coverage.trials) == (2, 4)
    assert (found.ignored, found.never) == (["c"], [("a", "A"), ("d", "D")])
    assert (found.concentration.successes, found.concentration.trials) == (1, 2)
    assert [one.product_id for one in never_clicked(TODAY, narrowing=cart)] == ["c"]
    assert survey(TODAY, ignored=9, narrowing=Narrowing(device="mobile")).ignored == ["a", "c"]


def test_a_survey_ranks_by_a_count_as_a_ranking_does(two_places: None) -> None:
    for by in SURVEYED:
        for narrowing in (EVERYTHING, Narrowing(placement="product"), Narrowing(device="mobile")):
            found = ranked(TODAY, by=by, limit=3, before=BEFORE, narrowing=narrowing)
            now = survey(TODAY, by=by, top=3, narrowing=narrowing)
            assert now.top == [one.product_id for one in found]
            before = survey(BEFORE, by=by, ranked=now.top, narrowing=narrowing)
            assert before.ranks == {one.product_id: one.earlier_rank for one in found if one.earlier_rank}
    assert survey(TODAY, by="views", top=9).top == ["b", "a"]
    assert survey(BEFORE, by="views", ranked=["a", "b"]).ranks == {"a": 1}
    with pytest.raises(ValueError, match="ranks by one of views"):
        survey(TODAY, by="purchases")


def test_clicks_in_mails_have_a_part_in_click_through_where_mails_are_reported_as_seen(two_places: None) -> None:
    mailed = ServedList.objects.create(
        served_at=NOON, placement="email", context="email", strategy="personalized", products=["b"], scores=[1.0],
        milliseconds=0, campaign="weekly_digest",
    )  # fmt: skip
    did("recommendation_click", "b", recommendation_request_id=mailed.request_id)
    roll_up()
    for narrowing, rate in ((EVERYTHING, (1, 2)), (Narrowing(placement="cart"), (1, 1)), (Narrowing("email"), (0, 0))):
        (found,) = (one for one in ranked(TODAY, by="clicks", narrowing=narrowing) if one.product_id == "b")
        assert (found.click_through_rate.successes, found.click_through_rate.trials) == rate
    (found,) = figures_of(TODAY, ["b"])
    assert (found.clicks, found.mail_clicks) == (2, 1)
    did("recommendation_view", "b", recommendation_request_id=mailed.request_id)
    roll_up()
    (found,) = figures_of(TODAY, ["b"])
    assert (found.click_through_rate.successes, found.click_through_rate.trials) == (2, 3)


def test_what_was_served_sold_out_is_told_of_one_placement(two_places: None) -> None:
    Product.objects.filter(product_id="a").update(stock_quantity=0)
    later = datetime.now(UTC) + timedelta(seconds=10)
    for placement, products in (("homepage", ["a", "b"]), ("cart", ["b"])):
        ServedList.objects.create(
            served_at=later, placement=placement, context=placement, strategy="popular", products=products,
            scores=[1.0] * len(products), milliseconds=1,
        )  # fmt: skip
    roll_up()
    day = Period(later.date(), later.date())
    counts = {name: survey(day, narrowing=Narrowing(placement=name)).out_of_stock for name in ("homepage", "cart")}
    assert counts == {"homepage": 1, "cart": 0}


@given(st.dates(date(1900, 1, 1), date(8999, 1, 1)), st.integers(0, 400), st.sampled_from(["UTC", "America/Havana"]))
def test_the_buckets_of_a_period_are_every_day_of_it_once(first: date, days: int, zone: str) -> None:
    with override_settings(REEMIO_SHOP_TIME_ZONE=zone):
        period = Period(first, first + timedelta(days=days))
        buckets = period.buckets()
    week = [begin.astimezone(ZoneInfo(zone)).date() for begin in buckets["weeks"]]
    covered = [begin + timedelta(days=day) for begin in week for day in range(7)]
    covered += [begin.astimezone(ZoneInfo(zone)).date() for begin in buckets["days"]]
    # A midnight that comes twice is there twice.
    assert sorted(set(covered)) == [first + timedelta(days=day) for day in range(days + 1)]
    assert all(begin.weekday() == 0 for begin in week)
    assert len(covered) <= days + 1 + 7 * 2
    assert len(buckets["days"]) <= 13
