"""`manage.py check_integration`: each thing that a shop may get wrong is found, and named with an example."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from analytics.integration.checks import CHECKS, check_integration
from analytics.integration.findings import Finding, Window
from catalog.models import Product
from interactions.models import Interaction
from recommendations.models import ServedList

pytestmark = pytest.mark.django_db
NOW = timezone.now()
REQUEST = uuid.uuid4()


def happen(kind: str, product_id: str | None = "lamp", **fields: Any) -> Interaction:
    about: dict[str, Any] = {"session_id": "s1", "user_id": "wanjiku", "event_id": uuid.uuid4().hex}
    return Interaction.objects.create(
        **about | {"interaction_type": kind, "product_id": product_id, "occurred_at": NOW - timedelta(hours=1)} | fields
    )


@pytest.fixture(autouse=True)
def _nothing_served() -> None:
    """What was served is written by a thread of its own: an earlier test's lists may be there."""
    ServedList.objects.all().delete()


@pytest.fixture
def good() -> None:
    """A shop that does everything right: a visit from a list to an order, by somebody who is logged in."""
    for product_id in ("lamp", "bulb"):
        Product.objects.create(product_id=product_id, title=product_id, price=Decimal("20.00"), currency="EUR")
    ServedList.objects.create(
        request_id=REQUEST, served_at=NOW - timedelta(hours=1), placement="homepage", context="homepage",
        strategy="popular", products=["lamp", "bulb"], scores=[1, 0], milliseconds=1,
    )  # fmt: skip
    for place, product_id in enumerate(("lamp", "bulb"), 1):
        show("recommendation_view", product_id, place)
    show("recommendation_click", "bulb", 2)
    happen("search", None, search_query="light", extra_data={"resultsCount": 2})
    buy()


def show(kind: str, product_id: str, place: int | None, request_id: uuid.UUID = REQUEST, **fields: Any) -> None:
    happen(kind, product_id, recommendation_request_id=request_id, recommendation_position=place, **fields)


def buy(**fields: Any) -> None:
    line = {"order_id": "A1", "quantity": 2, "unit_price": Decimal("19.00"), "currency": "EUR"}
    happen("purchase", "bulb", **line | fields)


def findings() -> dict[str, Finding]:
    return {one.name: one for one in check_integration(Window(NOW - timedelta(days=7), NOW + timedelta(days=1)))}


def failing() -> dict[str, tuple[str, ...]]:
    return {name: one.examples for name, one in findings().items() if not one.passed}


def test_a_shop_that_does_everything_right_passes_every_check(good: None) -> None:
    assert failing() == {}
    found = findings()
    assert len(found) == len(CHECKS) == 17
    assert found["Positions"].said == "3 of 3 impressions and clicks are told at their place (100.0%)."
    assert found["Orders count once"].said == "1 of 1 order lines came once (100.0%)."


OTHER = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("name", "wrong", "example"),
    [
        ("Products are known", lambda: happen("view", "variant-7"), "variant-7, 1 events"),
        ("Event ids", lambda: happen("view", event_id=None), "view of lamp"),
        ("Clocks are right", lambda: happen("view", occurred_at=NOW + timedelta(hours=3)), "view at "),
        ("Request ids", lambda: show("recommendation_view", "lamp", 1, OTHER), str(OTHER)),
        ("Positions", lambda: show("recommendation_view", "bulb", 1), "bulb told at 1, stood at 2"),
        ("Positions", lambda: show("recommendation_click", "lamp", None), "lamp told at no place, stood at 1"),
        ("Positions", lambda: show("recommendation_view", "sofa", 1), "sofa told at 1, stood at none: it was not in"),
        ("Searches", lambda: happen("search", None, search_query="dark"), "dark"),
        ("Order ids", lambda: buy(order_id=None), "bulb, event "),
        ("Prices", lambda: buy(unit_price=None, order_id="A2"), "order A2, bulb"),
        ("Prices", lambda: buy(currency="", order_id="A3"), "order A3, bulb"),
        ("Prices fit the catalogue", lambda: buy(unit_price=1900, order_id="A4"), "bulb bought for 1900.00, listed at"),
        ("Orders count once", buy, "order A1, bulb: 2 times"),
        ("User ids after login", lambda: happen("view", user_id=None), "s1"),
    ],
)
def test_what_is_wrong_is_found_and_named(good: None, name: str, wrong: Callable[[], None], example: str) -> None:
    wrong()
    found = findings()[name]
    assert not found.passed
    assert found.examples[0].startswith(example)
    assert found.advice


def test_sessions_of_one_event_each_lists_nobody_sees_and_clicks_of_the_unseen_are_found(good: None) -> None:
    for number in range(9):
        happen("view", session_id=f"single-{number}", user_id=None)
        ServedList.objects.create(
            request_id=uuid.UUID(int=number), served_at=NOW, placement="cart", context="cart", strategy="cart",
            products=["lamp", "bulb"], scores=[1, 0], milliseconds=1,
        )  # fmt: skip
    show("recommendation_click", "lamp", 1, uuid.UUID(int=3))
    show("recommendation_click", "bulb", 2, uuid.UUID(int=4))
    assert failing() == {
        "Sessions hold together": ("single-0", "single-1", "single-2"),
        "Clicks": (f"bulb of list {uuid.UUID(int=4)}", f"lamp of list {uuid.UUID(int=3)}"),
    }
    Interaction.objects.filter(interaction_type__startswith="recommendation_", product_id="lamp").delete()
    Interaction.objects.filter(interaction_type="recommendation_click").delete()
    assert failing()["Impressions"][0] == f"cart list {uuid.UUID(int=0)}"


def test_a_catalogue_that_nobody_touched_for_days_is_stale(good: None) -> None:
    Product.objects.update(updated_at=NOW - timedelta(days=4))
    found = findings()["Catalogue"]
    assert not found.passed
    assert found.said.startswith("2 active products, up to date as of ")


def test_an_empty_installation_is_told_what_to_do_first() -> None:
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_integration", stdout=output)
    assert ended.value.code == 1
    report = output.getvalue()
    assert report.count("FAIL ") == 17
    assert "FAIL Catalogue                 No active product.\n" in report
    assert "→ Put the tag of docs/tracker.md on your pages, or POST /api/v1/interactions." in report
    assert "17 of 17 checks fail, for the last 7 days. Read docs/integration.md." in report


def test_the_command_reports_each_line_and_ends_well_where_all_is_well(good: None) -> None:
    output = StringIO()
    call_command("check_integration", days=1, stdout=output)
    lines = output.getvalue().splitlines()
    assert [line[:4] for line in lines[:17]] == ["PASS"] * 17
    assert lines[-1] == "All 17 checks pass, for the last day."
    Interaction.objects.update(occurred_at=NOW - timedelta(days=3))
    with pytest.raises(SystemExit):
        call_command("check_integration", days=1, stdout=StringIO())
    call_command("check_integration", days=7, stdout=StringIO())
