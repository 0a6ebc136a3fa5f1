"""The law of counting: whatever was written, in whatever order, the roll-ups are what one counts by hand.

Each example writes events, lists, refunds, merges and an erasure in some order, counting now and then between them,
and in the end compares every row of every table with `by_hand`, exactly. The stories tell what is easily got wrong;
chance finds what nobody thought of.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from analytics import models
from analytics.models import Grain
from analytics.rollups.run import roll_up
from analytics.rollups.tables import Table
from catalog.models import Product, Unavailability
from tests.analytics.by_hand import ByHand
from tests.analytics.steps import DAYS_LATER, PRODUCTS, STEPS, ZONES, Step, write
from tests.analytics.stories import STORIES, Story

EXAMPLES = 40


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
        models.LatencyRollup: hand.latencies(), models.EventRollup: hand.by_type(),
        models.ProductDetailRollup: hand.of_products(),
        models.ProductRollup: hand.without(hand.of_products(), {1, 2, 3}),
        models.SalesDetailRollup: hand.sales(),
        models.SalesRollup: hand.without(hand.sales(), {1, 2, 3}, {"conversions", "direct_revenue"}),
        models.SearchDetailRollup: hand.searches(), models.SearchRollup: hand.without(hand.searches(), {1}),
        models.SearchClickDetailRollup: hand.search_clicks(),
        models.SearchClickRollup: hand.without(hand.search_clicks(), {1}),
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


def follow(steps: Sequence[Step], *, zone: str, days_later: int, at_once: bool) -> None:
    """Do what the steps say, counting after each of them or in the end only, and compare."""
    start = ZONES[zone]
    now = start + timedelta(days=days_later)
    for number, name in enumerate(PRODUCTS[:3]):
        product = Product.objects.create(
            product_id=name, title=name, price=Decimal(number), currency=["", "EUR"][number % 2],
            stock_quantity=[None, 0, 5][number],
        )  # fmt: skip
    Unavailability.objects.create(product=product, began_at=start, ended_at=start + timedelta(hours=1))
    with override_settings(REEMIO_SHOP_TIME_ZONE=zone), pytest.MonkeyPatch.context() as patch:
        patch.setattr("analytics.rollups.run._database_time", lambda: now)
        with time_machine.travel(now, tick=False):
            for step in steps:
                write(step, start)
                if at_once:
                    roll_up()
            roll_up()
        compare(zone, now)


@pytest.mark.django_db
@pytest.mark.parametrize("at_once", [True, False], ids=["counted at once", "counted in the end"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.says)
def test_a_story_is_counted_as_by_hand(story: Story, at_once: bool) -> None:
    follow(story.steps, zone=story.zone, days_later=story.days_later, at_once=at_once)


class CountingLaw(TestCase):
    """Counted by the database and by hand, the figures agree."""

    @settings(
        max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    @given(st.sampled_from(sorted(ZONES)), st.sampled_from(DAYS_LATER), st.booleans(), STEPS)
    def test_the_rollups_are_what_one_counts_by_hand(
        self, zone: str, days_later: int, at_once: bool, steps: list[dict[str, Any]]
    ) -> None:
        follow(steps, zone=zone, days_later=days_later, at_once=at_once)
