"""The law of counting: whatever was written, in whatever order, the roll-ups are what one counts by hand.

Each example writes events, lists, refunds, merges and an erasure in a random order, counting now and then between
them, and in the end compares every row of every table with `by_hand`, exactly.
"""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from analytics import models
from analytics.models import Grain
from analytics.rollups.run import recount_recent, roll_up, touch
from analytics.rollups.tables import Table
from catalog.models import Product
from interactions.events import NewInteraction
from interactions.models import OrderRefund
from interactions.services.record import record_interactions
from recommendations.models import ServedList
from reemio.people.services import erase_person, merge_person
from tests.analytics.by_hand import ByHand

EXAMPLES = 25
# The clocks go back in Berlin on 2026-10-25 at 01:00 UTC, and forward in New York on 2026-03-08 at 07:00.
ZONES = {"Europe/Berlin": datetime(2026, 10, 25, tzinfo=UTC), "America/New_York": datetime(2026, 3, 8, 5, tzinfo=UTC),
         "Asia/Kolkata": datetime(2026, 5, 5, 18, tzinfo=UTC), "UTC": datetime(2026, 1, 1, tzinfo=UTC)}  # fmt: skip
REQUESTS = [uuid.UUID(int=number) for number in range(1, 5)]
PRODUCTS = ["a", "b", "c", "unknown"]
PEOPLE = [("ann", None), ("ann", "s1"), (None, "s1"), (None, "s2"), ("bob", "s2"), ("bob", None)]
KINDS = ["view", "cart_add", "recommendation_view", "recommendation_click", "purchase", "search"]
# Hours around a change of clocks, with minutes that lie on, before and after borders; and a few days away from it.
# Counted when parts, only hours, or only days of that time are kept.
DAYS_LATER = [1, 5, 18]
MINUTES = st.one_of(
    st.integers(-180, 300),
    st.sampled_from([-1, 0, 1, 4, 5, 6, 59, 60, 61, 119, 120, 121]),
    st.sampled_from([-6 * 1440, -5 * 1440, 2 * 1440, 7 * 1440]),
)

EVENT = st.fixed_dictionaries({
    "do": st.just("event"), "kind": st.sampled_from(KINDS), "minutes": MINUTES, "who": st.sampled_from(PEOPLE),
    "product": st.sampled_from(PRODUCTS), "request": st.sampled_from(REQUESTS),
    "order": st.sampled_from([None, "o1", "o2"]),
    "quantity": st.sampled_from([None, 1, 3]), "price": st.sampled_from([None, Decimal("9.99"), Decimal(0)]),
    "currency": st.sampled_from(["", "EUR"]), "context": st.sampled_from(["", "homepage", "email"]),
    "position": st.sampled_from([None, 1, 2, 99]), "device": st.sampled_from([None, "mobile"]),
    "query": st.sampled_from(["Lamp", " lamp", "red  lamp", "x"]), "results": st.sampled_from([None, 0, 3]),
    "repeat": st.booleans(),
})  # fmt: skip
SERVED = st.fixed_dictionaries({
    "do": st.just("list"), "request": st.sampled_from(REQUESTS), "minutes": MINUTES,
    "placement": st.sampled_from([("homepage", "homepage"), ("email", "email"), ("search", "")]),
    "products": st.lists(st.sampled_from(PRODUCTS), unique=True, max_size=4), "asked": st.sampled_from([None, 4]),
    "milliseconds": st.sampled_from([0.0, 0.3, 7.0, 41.5]), "variant": st.sampled_from(["", "test:A"]),
})  # fmt: skip
REFUND = st.fixed_dictionaries({
    "do": st.just("refund"), "order": st.sampled_from(["o1", "o2"]), "id": st.sampled_from(["", "r1", "r2"]),
    "lines": st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(0, 2)), max_size=2, unique_by=lambda x: x[0]),
})  # fmt: skip
# What belongs together: a click in a list, what was bought after it, and what came back.
STORY = st.fixed_dictionaries({
    "do": st.just("story"), "minutes": MINUTES, "request": st.sampled_from(REQUESTS), "who": st.sampled_from(PEOPLE),
    "buyer": st.sampled_from([None, *PEOPLE]),
    "placement": st.sampled_from([("homepage", "homepage"), ("email", "email")]),
    "again": st.sampled_from([None, 1, 50, -50]), "counted": st.booleans(), "days": st.sampled_from([0, 4, 6, 8]),
    "refund": st.sampled_from([None, [], [("a", 1)], [("a", 0)]]),
})  # fmt: skip
OTHER = st.sampled_from([{"do": "merge"}, {"do": "erase"}, {"do": "count"}, {"do": "recount"}, {"do": "rebuild"}])
STEPS = st.lists(st.one_of(EVENT, EVENT, EVENT, SERVED, REFUND, STORY, STORY, OTHER), max_size=12)


def write(step: dict[str, Any], start: datetime) -> None:
    at = start + timedelta(minutes=step.get("minutes", 0), seconds=7)
    match step["do"]:
        case "event":
            record(step, at)
            if step["repeat"]:
                record(step, at + timedelta(minutes=50))
        case "list":
            placement, context = step["placement"]
            row = ServedList(
                request_id=step["request"], served_at=at, placement=placement, context=context, strategy="popular",
                variant=step["variant"], anchors=["Red lamp"] if placement == "search" else [], asked_for=step["asked"],
                products=step["products"], scores=[1.0] * len(step["products"]), milliseconds=step["milliseconds"],
            )  # fmt: skip
            ServedList.objects.bulk_create([row], ignore_conflicts=True)
        case "refund":
            products, quantities = [line[0] for line in step["lines"]], [line[1] for line in step["lines"]]
            row = OrderRefund(
                order_id=step["order"], refund_id=step["id"], products=products, quantities=quantities, occurred_at=at
            )
            OrderRefund.objects.bulk_create([row], ignore_conflicts=True)
        case "story":
            tell(step, at)
        case "merge":
            merge_person(user_id="ann", session_id="s1")
        case "erase":
            erase_person("bob")
        case "count":
            roll_up()
        case "recount":
            recount_recent()
        case "rebuild":
            touch(since=None)
            roll_up()


def tell(step: dict[str, Any], at: datetime) -> None:
    """Let somebody see and click a product (perhaps twice, the first time told last), buy, and send something back."""
    placement, context = step["placement"]
    row = ServedList(
        request_id=step["request"], served_at=at - timedelta(minutes=1), placement=placement, context=context,
        strategy="popular", products=["b", "a"], scores=[1.0, 0.5], milliseconds=3.0,
    )  # fmt: skip
    ServedList.objects.bulk_create([row], ignore_conflicts=True)
    shown = {"recommendation_request_id": step["request"], "recommendation_context": context}
    user_id, session_id = step["who"]
    for moment in (at, at + timedelta(minutes=step["again"])) if step["again"] else (at,):
        if step["counted"]:
            roll_up()
        for kind in ("recommendation_view", "recommendation_click"):
            record_interactions([NewInteraction(kind, moment, user_id, session_id, "a", **shown)])
    bought = {"quantity": 2, "unit_price": Decimal(10), "order_id": "o3"}
    for product in ("a", "c"):
        purchase = NewInteraction(
            "purchase", at + timedelta(days=step["days"], minutes=9), *(step["buyer"] or step["who"]), product, **bought
        )
        record_interactions([purchase])
    if step["refund"] is not None:
        products, quantities = [line[0] for line in step["refund"]], [line[1] for line in step["refund"]]
        back = OrderRefund(order_id="o3", refund_id="r", products=products, quantities=quantities, occurred_at=at)
        OrderRefund.objects.bulk_create([back], ignore_conflicts=True)


def record(step: dict[str, Any], at: datetime) -> None:
    kind, (user_id, session_id) = step["kind"], step["who"]
    is_search, is_shown, is_bought = kind == "search", kind.startswith("recommendation"), kind == "purchase"
    extra = {"device": step["device"], "resultsCount": step["results"]} if is_search else {"device": step["device"]}
    event = NewInteraction(
        kind, at, user_id, session_id, None if is_search else step["product"],
        quantity=step["quantity"] if is_bought else None, unit_price=step["price"] if is_bought else None,
        currency=step["currency"] if is_bought else "", order_id=step["order"] if is_bought else None,
        recommendation_context=step["context"] if is_shown else "",
        recommendation_position=step["position"] if is_shown else None,
        recommendation_request_id=step["request"] if is_shown else None,
        search_query=step["query"] if is_search else "",
        extra_data={key: value for key, value in extra.items() if value is not None},
    )  # fmt: skip
    record_interactions([event])


def stored(model: type[models.Rollup], grain: Grain) -> dict[Any, Counter[str]]:
    """Return a table's rows of one grain, zeros left out."""
    table = Table.of(model)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT starts_at, {', '.join((*table.keys, *table.measures))} FROM {table.name} WHERE grain = %s",  # noqa: S608  our own names
            [grain],
        )
        rows = cursor.fetchall()
    size = 1 + len(table.keys)
    return {row[:size]: bare(dict(zip(table.measures, row[size:], strict=True))) for row in rows}


def bare(counts: dict[str, Any]) -> dict[str, Any]:
    return {name: count for name, count in counts.items() if count}


def compare(zone: str, now: datetime) -> None:
    hand = ByHand(zone)
    today = now.astimezone(hand.zone).date()
    found = {
        conversion.purchase_id: (conversion.kind, conversion.click_id) for conversion in models.Conversion.objects.all()
    }
    assert found == {pk: (kind, click.pk) for pk, (kind, click) in hand.conversions.items()}
    by_hand = {
        models.RecommendationRollup: hand.recommendations(), models.EarningsRollup: hand.earnings(),
        models.LatencyRollup: hand.latencies(), models.ProductRollup: hand.of_products(),
        models.SalesRollup: hand.sales(), models.SearchRollup: hand.searches(),
        models.SearchClickRollup: hand.search_clicks(), models.EventRollup: hand.by_type(),
    }  # fmt: skip
    kept = {Grain.PART: (hand.part, 2), Grain.HOUR: (hand.hour, 15), Grain.DAY: (hand.day, None),
            Grain.WEEK: (hand.week, None)}  # fmt: skip
    for model, parts in by_hand.items():
        for grain, (bucket, days) in kept.items():
            wanted = {
                key: bare(counts)
                for key, counts in hand.sums(parts, bucket).items()
                if days is None or key[0].astimezone(hand.zone).date() > today - timedelta(days=days)
            }
            assert stored(model, grain) == wanted, (model, grain)
    assert stored(models.VisitRollup, Grain.DAY) == {key: bare(counts) for key, counts in hand.funnels().items()}
    assert not models.TouchedPart.objects.exists()
    assert not models.TouchedEvent.objects.exists()


class CountingLaw(TestCase):
    """Counted by the database and by hand, the figures agree."""

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    @given(st.sampled_from(sorted(ZONES)), st.sampled_from(DAYS_LATER), STEPS)
    def test_the_rollups_are_what_one_counts_by_hand(
        self, zone: str, days_later: int, steps: list[dict[str, Any]]
    ) -> None:
        for number, name in enumerate(PRODUCTS[:3]):
            Product.objects.create(
                product_id=name, title=name, price=Decimal(number), currency=["", "EUR"][number % 2],
                stock_quantity=[None, 0, 5][number],
            )  # fmt: skip
        now = ZONES[zone] + timedelta(days=days_later)
        with self.settings(REEMIO_SHOP_TIME_ZONE=zone), pytest.MonkeyPatch.context() as patch:
            patch.setattr("analytics.rollups.run._database_time", lambda: now)
            with time_machine.travel(now, tick=False):
                for step in steps:
                    write(step, ZONES[zone])
                roll_up()
            compare(zone, now)
