"""Whatever is written, by whichever door, leaves a note of what is due for counting."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from analytics.models import TouchedEvent, TouchedPart
from interactions.models import Interaction, OrderRefund
from recommendations.models import ServedList

AT = datetime(2026, 3, 10, 12, 34, tzinfo=UTC)
PART = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def happen(kind: str = "view", at: datetime = AT, **fields: Any) -> Interaction:
    fields = {"user_id": "ann", "product_id": "a", **fields}
    return Interaction.objects.create(interaction_type=kind, occurred_at=at, **fields)


def notes() -> tuple[list[datetime], list[int]]:
    """Return the touched parts and events, and forget them."""
    parts = sorted(set(TouchedPart.objects.values_list("starts_at", flat=True)))
    events = sorted(set(TouchedEvent.objects.values_list("interaction_id", flat=True)))
    TouchedPart.objects.all().delete()
    TouchedEvent.objects.all().delete()
    return parts, events


@pytest.mark.django_db
def test_an_event_touches_its_five_minutes_and_a_purchase_or_click_its_attribution() -> None:
    happen()
    assert notes() == ([PART], [])
    bought, clicked = happen("purchase"), happen("recommendation_click", recommendation_request_id=uuid.uuid4())
    assert notes() == ([PART], [bought.pk, clicked.pk])


@pytest.mark.django_db
def test_an_event_that_moves_touches_both_places() -> None:
    event = happen()
    notes()
    Interaction.objects.filter(pk=event.pk).update(occurred_at=AT + timedelta(hours=3))
    assert notes() == ([PART, PART + timedelta(hours=3)], [])


@pytest.mark.django_db
def test_a_list_touches_its_five_minutes_and_what_was_said_of_it_before_it_was_written() -> None:
    request_id = uuid.uuid4()
    click = happen("recommendation_click", AT + timedelta(hours=5), recommendation_request_id=request_id)
    notes()
    ServedList.objects.create(
        request_id=request_id, served_at=AT, placement="homepage", context="homepage", strategy="popular",
        products=["a"], scores=[1.0], milliseconds=1,
    )  # fmt: skip
    assert notes() == ([PART, PART + timedelta(hours=5)], [click.pk])


@pytest.mark.django_db
def test_a_refund_touches_the_lines_of_its_order() -> None:
    line = happen("purchase", order_id="o1")
    happen("purchase", order_id="o2")
    happen("view", order_id="o1")
    notes()
    OrderRefund.objects.create(order_id="o1", refund_id="", occurred_at=AT)
    assert notes() == ([PART], [line.pk])


@pytest.mark.django_db
def test_clearing_old_rows_away_touches_nothing() -> None:
    happen("purchase")
    notes()
    Interaction.objects.all().delete()
    assert notes() == ([], [])
