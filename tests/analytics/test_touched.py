"""Whatever is written, by whichever door, leaves a note of what is due for counting."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from typing import Any

import pytest

from analytics.models import (
    Conversion,
    EarningsRollup,
    EventRollup,
    Grain,
    LatencyRollup,
    ProductRollup,
    TouchedEvent,
    TouchedPart,
)
from analytics.rollups.run import recount_recent, roll_up, touch
from interactions.models import Interaction, OrderRefund
from recommendations.models import ServedList
from reemio.people.services import merge_person

AT = datetime(2026, 3, 10, 12, 34, tzinfo=UTC)
PART = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


def happen(kind: str = "view", at: datetime = AT, **fields: Any) -> Interaction:
    fields = {"user_id": "ann", "product_id": "a", **fields}
    return Interaction.objects.create(interaction_type=kind, occurred_at=at, **fields)


def served(request_id: uuid.UUID) -> None:
    ServedList.objects.create(
        request_id=request_id, served_at=AT, placement="homepage", context="homepage", strategy="popular",
        products=["a"], scores=[1.0], milliseconds=1,
    )  # fmt: skip


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
def test_an_event_that_becomes_somebody_elses_touches_what_else_its_visit_did_and_the_visit_itself() -> None:
    for session_id, visit in (("s1", b"ss1"), (None, b"uann")):
        event = happen(session_id=session_id)
        for hours in (-24, 24, -25, 25):
            happen(at=AT + timedelta(hours=hours), session_id=session_id)
        notes()
        Interaction.objects.filter(pk=event.pk).update(user_id="bob", session_id=None)
        visits = list(TouchedPart.objects.exclude(visit=None).values_list("starts_at", "visit"))
        assert visits == [(PART, uuid.UUID(md5(visit, usedforsecurity=False).hexdigest()))]
        assert notes() == ([PART + timedelta(hours=hours) for hours in (-24, 0, 24)], [])


@pytest.mark.django_db
def test_a_merge_touches_what_moved_and_no_visit() -> None:
    happen(user_id=None, session_id="s1")
    clicked = happen("recommendation_click", AT + timedelta(hours=1), user_id=None, session_id="s1")
    notes()
    merge_person(user_id="ann", session_id="s1")
    assert not TouchedPart.objects.exclude(visit=None).exists()
    assert notes() == ([PART, PART + timedelta(hours=1)], [clicked.pk])


@pytest.mark.django_db
def test_a_list_touches_its_five_minutes_and_what_was_said_of_it_before_it_was_written() -> None:
    request_id = uuid.uuid4()
    click = happen("recommendation_click", AT + timedelta(hours=5), recommendation_request_id=request_id)
    notes()
    served(request_id)
    assert notes() == ([PART, PART + timedelta(hours=5)], [click.pk])


@pytest.mark.django_db
def test_a_list_that_is_rewritten_touches_what_was_told_of_it_and_earned_by_it_but_a_mere_name_touches_nothing() -> (
    None
):
    request_id = uuid.uuid4()
    served(request_id)
    happen("recommendation_view", AT + timedelta(hours=1), recommendation_request_id=request_id)
    click = happen("recommendation_click", AT + timedelta(hours=2), recommendation_request_id=request_id)
    line = happen("purchase", AT + timedelta(hours=3))
    roll_up()
    assert Conversion.objects.get().purchase_id == line.pk
    notes()
    ServedList.objects.update(user_id="bob", session_id="s1")
    assert notes() == ([], [])
    ServedList.objects.update(anchors=[], served_at=AT + timedelta(hours=4))
    assert notes() == ([PART + timedelta(hours=hours) for hours in range(5)], [click.pk])


@pytest.mark.django_db
def test_a_refund_that_is_rewritten_touches_the_lines_of_both_orders() -> None:
    lines = [happen("purchase", AT + timedelta(hours=hours), order_id=f"o{hours}") for hours in range(3)]
    happen(order_id="o1")
    OrderRefund.objects.create(order_id="o1", refund_id="", occurred_at=AT)
    notes()
    OrderRefund.objects.update(order_id="o2")
    assert notes() == ([PART + timedelta(hours=1), PART + timedelta(hours=2)], [lines[1].pk, lines[2].pk])


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


@pytest.mark.django_db
def test_a_rebuild_counts_what_is_still_there() -> None:
    for hours in (0, 24):
        happen(at=AT + timedelta(hours=hours))
    served(uuid.uuid4())
    roll_up()
    Interaction.objects.filter(occurred_at=AT).delete()
    ServedList.objects.all().delete()
    roll_up()
    assert EventRollup.objects.filter(grain=Grain.DAY).count() == 2
    touch(since=None)
    roll_up()
    assert [row.starts_at.day for row in EventRollup.objects.filter(grain=Grain.DAY)] == [11]
    assert not LatencyRollup.objects.exists()


@pytest.mark.django_db
def test_every_night_the_last_seven_days_are_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 18, 0, 30, tzinfo=UTC)
    monkeypatch.setattr("analytics.rollups.run._database_time", lambda: now)
    for before in (timedelta(days=7, hours=1), timedelta(days=7, minutes=-1)):
        happen(at=now - before)
    roll_up()
    EventRollup.objects.update(events=7)
    recount_recent()
    counted = EventRollup.objects.filter(grain=Grain.DAY).order_by("starts_at")
    assert [(row.starts_at.day, row.events) for row in counted] == [(10, 7), (11, 1)]


@pytest.mark.django_db
def test_only_what_was_changed_is_summed_up_again_and_a_night_sums_up_everything() -> None:
    now = datetime.now(UTC)
    for product in "ab":
        happen(at=now, product_id=product)
    roll_up()
    ProductRollup.objects.filter(product_id="a").exclude(grain=Grain.PART).update(views=70)
    happen(at=now, product_id="b")
    roll_up()

    def views() -> set[tuple[str, str, int]]:
        return set(ProductRollup.objects.values_list("product_id", "grain", "views"))

    sums = ("hour", "day", "week")
    assert views() == {
        ("a", "part", 1),
        ("b", "part", 2),
        *(("a", of, 70) for of in sums),
        *(("b", of, 2) for of in sums),
    }
    recount_recent()
    assert views() == {("a", of, 1) for of in ("part", *sums)} | {("b", of, 2) for of in ("part", *sums)}


@pytest.mark.django_db
def test_a_conversion_that_a_rewritten_click_takes_away_is_counted_no_more() -> None:
    request = uuid.uuid4()
    served(request)
    clicked = happen("recommendation_click", recommendation_request_id=request)
    happen("purchase", AT + timedelta(days=2), unit_price=Decimal(5))
    roll_up()
    assert set(EarningsRollup.objects.values_list("conversions", flat=True)) == {1}
    Interaction.objects.filter(pk=clicked.pk).update(product_id="b")
    roll_up()
    assert not Conversion.objects.exists()
    assert not EarningsRollup.objects.exists()
