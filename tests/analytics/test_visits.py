"""The funnel by what visits met: a placement, a strategy, a device; and those that met none of it."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.periods import Period
from analytics.rollups.run import roll_up
from analytics.visits import Funnel, funnels, total
from interactions.models import Interaction
from recommendations.models import ServedList

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = Period(NOON.date(), NOON.date())


def event(
    session: str, kind: str, *, device: str = "mobile", request: uuid.UUID | None = None, at: datetime = NOON
) -> None:
    shown: dict[str, Any] = {"recommendation_request_id": request} if request else {}
    Interaction.objects.create(
        interaction_type=kind, session_id=session, product_id="a", occurred_at=at + timedelta(minutes=1),
        extra_data={"device": device}, **shown,
    )  # fmt: skip


def served(placement: str, strategy: str) -> uuid.UUID:
    return ServedList.objects.create(
        served_at=NOON, placement=placement, context=placement, strategy=strategy, products=["a"], scores=[1.0],
        milliseconds=1,
    ).request_id  # fmt: skip


@pytest.fixture
def day(db: None) -> None:
    """A visit that saw the homepage's list and bought, one on a desktop that clicked the cart's, one that saw none."""
    event("s1", "recommendation_view", request=served("homepage", "personalized"))
    event("s1", "purchase")
    cart = served("cart", "cart")
    for kind in ("recommendation_view", "recommendation_click", "view"):
        event("s2", kind, device="desktop", request=cart if kind != "view" else None)
    event("s3", "view")
    roll_up()


def test_without_a_filter_every_list_counts(day: None) -> None:
    assert funnels(TODAY) == {
        "none": Funnel(visits=1, viewed=1),
        "saw": Funnel(visits=1, saw=1, purchased=1),
        "clicked": Funnel(visits=1, viewed=1, saw=1, clicked=1),
    }


@pytest.mark.parametrize("chosen", [{"placement": "homepage"}, {"strategy": "personalized"}])
def test_whoever_met_other_lists_only_met_none_of_the_chosen(day: None, chosen: dict[str, str]) -> None:
    assert funnels(TODAY, **chosen) == {
        "none": Funnel(visits=2, viewed=2),
        "saw": Funnel(visits=1, saw=1, purchased=1),
        "clicked": Funnel(),
    }


def test_a_device_takes_its_own_visits_only(day: None) -> None:
    found = funnels(TODAY, device="desktop")
    assert (found["none"].visits, found["saw"].visits, found["clicked"].visits) == (0, 0, 1)
    both = funnels(TODAY, placement="cart", device="mobile")
    assert (both["none"].visits, both["clicked"].visits) == (2, 0)


def test_what_no_visit_met_leaves_all_of_them_without(day: None) -> None:
    assert funnels(TODAY, placement="homepage", strategy="popular")["none"].visits == 3


def test_a_period_has_the_visits_of_its_own_days_and_a_session_is_another_visit_on_another_day(day: None) -> None:
    for days in (-1, 1, 2):
        event("s3", "cart_add", at=NOON + timedelta(days=days))
    roll_up()
    assert total(funnels(TODAY).values()).visits == 3
    whole = total(funnels(Period(TODAY.first - timedelta(days=1), TODAY.last + timedelta(days=1))).values())
    assert (whole.visits, whole.carted) == (5, 2)
