"""Attribution: who gets the credit for an order line, in the cases that are easily got wrong."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from analytics.definitions import rate
from analytics.models import Conversion
from analytics.performance import Filters, grouped, together, total
from analytics.periods import Period
from analytics.rollups.run import roll_up
from catalog.models import Product
from interactions.models import Interaction
from recommendations.models import ServedList
from reemio.people.services import erase_person, merge_person

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = Period(NOON.date(), NOON.date())
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def shop(db: None) -> None:
    for name in ("a", "b"):
        Product.objects.create(product_id=name, title=name, price=Decimal(10), currency="USD")


def served(at: datetime = NOON - timedelta(hours=2), **fields: Any) -> uuid.UUID:
    fields = {"placement": "homepage", "context": "homepage", "products": ["a", "b"], **fields}
    row = ServedList.objects.create(served_at=at, strategy="popular", scores=[1.0, 0.9], milliseconds=1, **fields)
    return row.request_id


def click(request_id: uuid.UUID, at: datetime = NOON - timedelta(hours=1), **fields: Any) -> Interaction:
    fields = {"user_id": "ann", "product_id": "a", **fields}
    return Interaction.objects.create(
        interaction_type="recommendation_click", occurred_at=at, recommendation_request_id=request_id, **fields
    )


def buy(product_id: str = "a", at: datetime = NOON, **fields: Any) -> Interaction:
    fields = {"user_id": "ann", "order_id": "o1", "quantity": 1, **fields}
    return Interaction.objects.create(interaction_type="purchase", occurred_at=at, product_id=product_id, **fields)


def credited() -> dict[int, tuple[str, uuid.UUID]]:
    """Count, and return what each order line credits."""
    roll_up()
    return {row.purchase_id: (row.kind, row.request_id) for row in Conversion.objects.all()}


def test_a_purchase_of_what_was_clicked_is_direct_and_what_else_was_bought_with_it_is_assisted() -> None:
    request_id = served()
    click(request_id)
    own, other, apart = buy(), buy("b"), buy("b", order_id="o2")
    assert credited() == {own.pk: ("direct", request_id), other.pk: ("assisted", request_id)}
    assert apart.pk not in credited()
    figures = total(DAY)
    assert (figures.conversions, figures.direct_revenue, figures.assisted_revenue) == (1, Decimal(10), Decimal(10))


@pytest.mark.parametrize(("before", "counts"), [(WEEK, True), (WEEK + timedelta(seconds=1), False)])
def test_the_window_is_seven_days_to_the_second(before: timedelta, counts: bool) -> None:
    click(served(NOON - WEEK - timedelta(hours=1)), NOON - before)
    buy()
    assert bool(credited()) is counts


def test_each_campaign_is_told_what_its_mails_earned() -> None:
    mail = {"placement": "email", "context": "email"}
    click(served(campaign="cart_abandonment", **mail))
    served(campaign="weekly_digest", **mail)
    buy()
    roll_up()
    earned = grouped(DAY, ["campaign"], filters=Filters(context="email"))
    assert {key: (found.conversions, found.direct_revenue) for key, found in earned.items()} == {
        ("cart_abandonment",): (1, Decimal(10)),
        ("weekly_digest",): (0, Decimal(0)),
    }


def test_clicks_and_revenue_of_mails_are_not_set_against_what_was_seen_in_the_shop() -> None:
    shown = served()
    for number, product_id in enumerate("ab"):
        event = Interaction(interaction_type="recommendation_view", user_id="ann", recommendation_request_id=shown)
        event.product_id, event.occurred_at = product_id, NOON - timedelta(hours=2 - number)
        event.save()
    click(shown)
    for user_id in ("bob", "cy"):
        click(served(placement="email", context="email"), user_id=user_id)
    buy()
    buy(user_id="bob", order_id="o2")
    roll_up()
    both, mails, shop = (
        total(DAY),
        total(DAY, filters=Filters(context="email")),
        total(DAY, filters=Filters("homepage")),
    )
    assert (both.clicks, both.impressions, both.conversions, both.direct_revenue) == (3, 2, 2, Decimal(20))
    assert both.click_through_rate == shop.click_through_rate == rate(1, 2)
    assert both.revenue_per_thousand == shop.revenue_per_thousand == Decimal(5000)
    assert (mails.click_through_rate.value, mails.revenue_per_thousand) == (None, None)
    assert both.conversion_rate == rate(2, 3)
    assert together(grouped(DAY, ["placement"]).values()) == both
    assert together([]) == total(Period(DAY.first - WEEK, DAY.first - WEEK))


def test_mails_that_are_reported_as_seen_are_counted_as_any_other_list() -> None:
    shown = served(placement="email", context="email")
    for product_id in "ab":
        Interaction.objects.create(
            interaction_type="recommendation_view", user_id="ann", product_id=product_id,
            occurred_at=NOON - timedelta(hours=2), recommendation_request_id=shown,
        )  # fmt: skip
    click(shown)
    buy()
    roll_up()
    mails = total(DAY, filters=Filters(context="email"))
    assert (mails.click_through_rate, mails.revenue_per_thousand) == (rate(1, 2), Decimal(5000))


@pytest.mark.parametrize(("days", "counts"), [(5, True), (5.01, False)])
def test_in_e_mails_it_is_five(days: float, counts: bool) -> None:
    click(served(placement="email", context="email"), NOON - timedelta(days=days))
    buy()
    assert bool(credited()) is counts


def test_a_click_after_the_purchase_or_on_something_else_or_by_somebody_else_earns_nothing() -> None:
    request_id = served()
    click(request_id, NOON + timedelta(seconds=1))
    click(request_id, product_id="b")
    click(request_id, user_id="bob")
    click(request_id, user_id=None, session_id="s1")
    buy()
    assert credited() == {}


def test_of_several_lists_the_last_click_wins_whichever_arrived_last() -> None:
    early, late = served(), served()
    click(late, NOON - timedelta(minutes=5))
    line = buy()
    assert credited() == {line.pk: ("direct", late)}
    click(early, NOON - timedelta(minutes=50))
    assert credited() == {line.pk: ("direct", late)}
    newest = served()
    click(newest, NOON - timedelta(minutes=1))
    assert credited() == {line.pk: ("direct", newest)}
    assert total(DAY).conversions == 1


def test_a_session_is_its_users_once_merged_and_a_purchase_that_names_both_tells_whose_it_is() -> None:
    first, second = served(session_id="s1"), served(session_id="s2")
    click(first, user_id=None, session_id="s1")
    click(second, user_id=None, session_id="s2", product_id="b")
    line, other = buy(), buy("b", order_id="o2", session_id="s2")
    assert credited() == {other.pk: ("direct", second)}
    merge_person(user_id="ann", session_id="s1")
    assert credited() == {other.pk: ("direct", second), line.pk: ("direct", first)}
    assert total(DAY).direct_revenue == Decimal(20)


def test_erasure_changes_no_figure() -> None:
    click(served(user_id="ann"), session_id="s1")
    buy(quantity=2)
    buy("b")
    roll_up()
    before = total(DAY)
    assert (before.conversions, before.assisted_lines, before.direct_revenue) == (1, 1, Decimal(20))
    assert erase_person("ann")
    roll_up()
    assert total(DAY) == before


def test_refunds_subtract_line_by_line_and_a_cancelled_order_earns_nothing(api: APIClient) -> None:
    click(served())
    buy(quantity=3)
    buy("b")
    url = "/api/v1/orders/o1/refunds"
    one_back = {"refund_id": "r1", "lines": [{"product_id": "a", "quantity": 1}]}
    for expected, duplicate in ((201, False), (200, True)):
        answer = api.post(url, one_back)
        assert (answer.status_code, answer.json()) == (
            expected, {"order_id": "o1", "refund_id": "r1", "duplicate": duplicate}
        )  # fmt: skip
        roll_up()
        figures = total(DAY)
        assert (figures.conversions, figures.direct_revenue, figures.assisted_revenue) == (1, Decimal(20), Decimal(10))
    assert api.post(url, {}).status_code == 201
    roll_up()
    figures = total(DAY)
    assert (figures.conversions, figures.assisted_lines) == (0, 0)
    assert (figures.direct_revenue, figures.assisted_revenue) == (Decimal(0), Decimal(0))
    assert figures.clicks == 1


def test_a_refund_may_come_before_its_order(api: APIClient) -> None:
    assert api.post("/api/v1/orders/o1/refunds", {}).status_code == 201
    click(served())
    buy()
    roll_up()
    assert total(DAY).conversions == 0


def test_of_two_lines_with_one_product_a_refund_takes_from_the_first(api: APIClient) -> None:
    click(served())
    first, second = buy(quantity=2), buy(quantity=2)
    api.post("/api/v1/orders/o1/refunds", {"refund_id": "r", "lines": [{"product_id": "a", "quantity": 3}]})
    roll_up()
    assert dict(Conversion.objects.values_list("purchase_id", "units")) == {first.pk: 0, second.pk: 1}


def test_a_list_that_is_written_after_its_click_explains_it_all_the_same() -> None:
    request_id = uuid.uuid4()
    click(request_id, NOON - timedelta(days=6), recommendation_context="homepage")
    line = buy()
    assert credited() == {line.pk: ("direct", request_id)}
    served(request_id=request_id, placement="email", context="email")
    assert credited() == {}
