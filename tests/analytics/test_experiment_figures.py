"""What experiments show: counts from raw rows, intervals that bear peeking, and sentences."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from analytics.experiments import (
    LEAST_SHOPPERS,
    Difference,
    count_due,
    count_experiment,
    difference,
    mismatch,
    of_share,
    of_sums,
    report,
    spoken,
)
from analytics.models import ExperimentResult
from analytics.rollups.run import roll_up
from interactions.models import Interaction, OrderRefund
from recommendations.models import Experiment, ExperimentVariant, ServedList

START = datetime(2026, 3, 1, tzinfo=UTC)


def false_alarms(decides: Any, *, runs: int = 600, looks: int = 50, shoppers: int = 200, share: float = 0.1) -> float:
    """Return how often two variants without any difference are told apart at one of many looks."""
    drawn = np.random.default_rng(7).binomial(shoppers, share, size=(2, runs, looks)).cumsum(axis=2)
    alarms = 0
    for run in range(runs):
        alarms += any(
            decides(*(of_share(int(drawn[arm, run, look]), shoppers * (look + 1)) for arm in (0, 1)))
            for look in range(looks)
        )
    return alarms / runs


def test_looking_fifty_times_at_no_difference_raises_a_false_alarm_in_less_than_5_percent() -> None:
    assert false_alarms(lambda first, other: difference(first, other).is_decided) <= 0.05


def test_an_interval_for_a_single_look_would_raise_them_in_more_than_20_percent() -> None:
    def naive(first: Any, other: Any) -> bool:
        error = (first.variance / first.shoppers + other.variance / other.shoppers) ** 0.5
        return bool(abs(other.mean - first.mean) > 1.96 * error)

    assert false_alarms(naive) > 0.2


def test_a_real_difference_is_found_and_its_interval_holds_it() -> None:
    found = difference(of_share(1000, 10_000), of_share(1250, 10_000))
    assert found.is_decided
    assert found.low is not None
    assert found.high is not None
    assert 0 < found.low < 0.25 < found.high
    assert spoken(found) == "11 % to 39 % ahead of"


def test_few_shoppers_or_events_or_no_mean_say_nothing() -> None:
    few = LEAST_SHOPPERS - 1
    assert difference(of_share(50, few), of_share(60, few)).low is None
    assert difference(of_share(19, 1000), of_share(500, 1000)).low is None
    assert difference(of_share(0, 1000), of_share(500, 1000)) == Difference(None, None, None)
    assert not difference(of_share(100, 1000), of_share(105, 1000)).is_decided


def test_amounts_have_the_variance_of_their_shoppers() -> None:
    spent = np.array([0.0, 0.0, 10.0, 30.0])
    sample = of_sums(4, spent.sum(), (spent**2).sum(), 2)
    assert (sample.mean, sample.variance) == (pytest.approx(spent.mean()), pytest.approx(spent.var()))


def test_a_sample_ratio_mismatch_is_told() -> None:
    assert mismatch([5000, 5010], [1, 1]) > 0.5  # type: ignore[operator]
    assert mismatch([5000, 4600], [1, 1]) < 0.001  # type: ignore[operator]
    assert mismatch([3000, 1000], [3, 1]) == pytest.approx(1.0)
    assert mismatch([9, 0], [1, 1]) is None


@pytest.fixture
def experiment(db: None) -> Experiment:
    row = Experiment.objects.create(
        key="figures", name="Test", placement="homepage", state="running", started_at=START, share=100
    )
    for name in "AB":
        ExperimentVariant.objects.create(experiment=row, name=name)
    return row


def served(variant: str, hours: int, **who: str) -> ServedList:
    return ServedList.objects.create(
        served_at=START + timedelta(hours=hours), placement="homepage", context="homepage", strategy="popular",
        variant=f"figures:{variant}", products=["a"], scores=[1.0], milliseconds=1, **who,
    )  # fmt: skip


def did(kind: str, hours: int, served_list: ServedList | None = None, **fields: Any) -> None:
    Interaction.objects.create(
        interaction_type=kind, product_id="a", occurred_at=START + timedelta(hours=hours),
        recommendation_request_id=served_list and served_list.request_id, **fields,
    )  # fmt: skip


def test_shoppers_count_once_under_the_first_variant_with_what_they_did_since(experiment: Experiment) -> None:
    ann, bob = served("A", 1, user_id="ann"), served("B", 1, user_id="bob")
    served("B", 2, user_id="ann")
    served("B", 2, session_id="s1")
    served("B", 2)  # nobody
    did("recommendation_view", 2, ann, user_id="ann")
    did("recommendation_click", 3, bob, user_id="bob")
    for user_id, hours, price in (("ann", 0, 100), ("ann", 4, 7), ("ann", 5, 3), ("bob", 4, 5), ("eve", 4, 50)):
        did("purchase", hours, user_id=user_id, quantity=1, unit_price=Decimal(price), order_id=f"{user_id}{hours}")
    roll_up()
    assert count_due() == 1
    numbers = ("shoppers", "clickers", "buyers", "lists", "impressions", "clicks", "conversions", "attributed_revenue",
               "revenue", "revenue_squares", "currency")  # fmt: skip
    assert list(ExperimentResult.objects.order_by("variant").values_list("variant", *numbers)) == [
        ("A", 1, 0, 1, 1, 1, 0, 0, 0, 10, 100, "USD"),
        ("B", 2, 1, 1, 4, 0, 1, 1, 5, 5, 25, "USD"),
    ]
    assert count_due() == 0
    count_experiment(experiment.pk)
    assert ExperimentResult.objects.count() == 2


def figures(*names: str) -> list[tuple[Any, ...]]:
    assert count_due() == 1
    return list(ExperimentResult.objects.order_by("variant").values_list(*names))


def test_a_shopper_has_bought_what_was_kept_from_the_first_list_on_while_the_experiment_runs(
    experiment: Experiment,
) -> None:
    Experiment.objects.update(finished_at=START + timedelta(hours=9))
    for hours, who in ((-1, "early"), (0, "ann"), (1, "bob"), (2, "cem"), (9, "late")):
        served("A", hours, user_id=who)
    for who, hours in (("early", 1), ("ann", 0), ("bob", 2), ("cem", 9)):
        did("purchase", hours, user_id=who, quantity=2, unit_price=Decimal(3), order_id=who)
    OrderRefund.objects.create(order_id="bob", refund_id="", occurred_at=START)
    roll_up()
    assert figures("shoppers", "buyers", "revenue", "revenue_squares") == [(3, 1, 6, 36), (0, 0, 0, 0)]


def test_revenue_is_that_of_the_currency_that_earned_most_and_a_buyer_is_one_in_any(experiment: Experiment) -> None:
    for who, price, currency in (("ann", 5, "EUR"), ("bob", 3, "EUR"), ("cem", 7, "GBP")):
        shown = served("A", 1, user_id=who)
        did("recommendation_click", 2, shown, user_id=who)
        did("purchase", 3, user_id=who, quantity=1, unit_price=Decimal(price), currency=currency, order_id=who)
    roll_up()
    assert figures("shoppers", "buyers", "conversions", "attributed_revenue", "revenue", "revenue_squares", "currency")[
        0
    ] == (3, 3, 3, 8, 8, 34, "EUR")


def test_a_click_in_another_list_makes_no_clicker(experiment: Experiment) -> None:
    served("A", 1, user_id="ann")
    did("recommendation_click", 2, served("C", 1, user_id="ann"), user_id="ann")
    roll_up()
    assert figures("shoppers", "clickers") == [(1, 0), (0, 0)]


@pytest.mark.parametrize(
    ("finished", "counted", "due"),
    [(None, 4, False), (None, 6, True), (60 * 24, 59, False), (60 * 24, 61, True), (60 * 24 * 8, 61, False)],
)
def test_an_experiment_is_due_every_five_minutes_and_every_hour_while_purchases_may_still_be_credited(
    finished: int | None, counted: int, due: bool, experiment: Experiment
) -> None:
    count_due()
    now = timezone.now()
    Experiment.objects.update(finished_at=finished and now - timedelta(minutes=finished))
    ExperimentResult.objects.update(as_of=now - timedelta(minutes=counted))
    assert count_due() == int(due)


def keep(experiment: Experiment, name: str, **numbers: int) -> None:
    known = {"clickers": 0, "buyers": 0, "lists": 0, "impressions": 0, "clicks": 0, "conversions": 0,
             "attributed_revenue": 0, "revenue": 0, "revenue_squares": 0, "currency": "USD"}  # fmt: skip
    ExperimentResult.objects.create(experiment=experiment, variant=name, **{**known, **numbers})


def test_the_report_says_who_is_ahead_or_that_it_is_too_early(experiment: Experiment) -> None:
    assert report(experiment).sentence == "B against A: too early to tell."
    keep(experiment, "A", shoppers=10_000, clickers=1000, buyers=300)
    keep(experiment, "B", shoppers=10_000, clickers=1250, buyers=310)
    found = report(experiment)
    assert found.sentence == "B is 11 % to 39 % ahead of A in shoppers who click."
    assert found.warning == ""


def test_the_report_warns_where_shoppers_are_split_otherwise_than_the_weights_say(experiment: Experiment) -> None:
    keep(experiment, "A", shoppers=10_000, clickers=1000)
    keep(experiment, "B", shoppers=9_000, clickers=1250)
    found = report(experiment)
    assert found.warning.startswith("Shoppers are not split as the weights say")
    assert found.sentence == found.warning


def test_a_hundred_shoppers_with_twenty_events_are_the_first_that_say_anything() -> None:
    first, other = of_share(20, LEAST_SHOPPERS), of_share(60, LEAST_SHOPPERS)
    assert difference(first, other).low is not None
    assert difference(of_share(19, LEAST_SHOPPERS), other).low is None
    assert mismatch([50, 50], [1, 1]) == pytest.approx(1.0)
    assert mismatch([49, 50], [1, 1]) is None


def test_who_is_behind_is_told_so_and_revenue_is_told_before_clicks(experiment: Experiment) -> None:
    keep(experiment, "A", shoppers=10_000, clickers=1250, buyers=300, revenue=3000, revenue_squares=30_000)
    keep(experiment, "B", shoppers=10_000, clickers=1000, buyers=300, revenue=3000, revenue_squares=30_000)
    assert report(experiment).sentence == "B is 8.8 % to 31 % behind A in shoppers who click."
    ExperimentResult.objects.filter(variant="B").update(buyers=600, revenue=6000, revenue_squares=60_000)
    assert report(experiment).sentence.endswith("ahead of A in revenue per shopper.")


def test_of_three_variants_each_comparison_has_half_of_the_false_alarms(experiment: Experiment) -> None:
    ExperimentVariant.objects.create(experiment=experiment, name="C")
    for name, clickers in (("A", 1000), ("B", 1142), ("C", 1000)):
        keep(experiment, name, shoppers=10_000, clickers=clickers)
    assert difference(of_share(1000, 10_000), of_share(1142, 10_000)).is_decided
    assert report(experiment).sentence == "B against A: too early to tell. C against A: too early to tell."


@pytest.mark.parametrize(("more", "warned"), [(140, False), (195, True)])
def test_a_split_as_unlikely_as_one_in_a_thousand_is_warned_of(more: int, warned: bool, experiment: Experiment) -> None:
    for name, shoppers in (("A", 5000 + more), ("B", 5000 - more)):
        keep(experiment, name, shoppers=shoppers)
    assert bool(report(experiment).warning) is warned
