"""What experiments show: each variant's figures, intervals that bear being looked at every day, and a plain sentence.

Shoppers are the unit: each counts once, under the first variant that they met, with what they did from then on. A
difference of means is told with an always-valid interval (the mixture sequential probability ratio test with a normal
mixture, Johari, Pekelis & Walsh 2017, “Peeking at A/B tests”): however often one looks, and whenever one stops, the
chance that it ever leaves out the true difference is at most 5 %. With several variants, each comparison with the first
has its part of the 5 % (Bonferroni). Shoppers who are split otherwise than the weights say give the experiment away:
a chi-square test of the sample ratio warns at p < 0.001.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from scipy.stats import chisquare

from analytics.definitions import Rate, rate
from analytics.lines import ORDER_LINES
from analytics.models import ExperimentResult
from recommendations.models import Experiment

ALPHA = 0.05
# The scale of the mixture, in shoppers of each variant. Against those of a single look, the intervals are 1.6 times as
# wide from a thousand shoppers to ten thousand, 1.8 times with a hundred thousand, and 2.1 times with two hundred.
MIXTURE_SHOPPERS = 300
# With fewer, a mean is too far from normal for any interval to be believed.
LEAST_SHOPPERS = 100
LEAST_EVENTS = 20
MISMATCH = 0.001
COUNTED_EVERY = timedelta(minutes=5)

_COUNT = f"""
WITH exposed AS (
    SELECT CASE WHEN user_id <> '' THEN 'u:' || user_id ELSE 's:' || session_id END AS person, variant, served_at
    FROM served_lists
    WHERE variant = ANY(%(labels)s) AND served_at >= %(begin)s AND served_at < %(end)s
        AND (user_id <> '' OR session_id <> '')
), first AS (
    SELECT DISTINCT ON (person) person, variant, served_at FROM exposed ORDER BY person, served_at, variant
), clicked AS (
    SELECT DISTINCT coalesce('u:' || c.user_id, 's:' || c.session_id) AS person
    FROM user_interactions c JOIN served_lists s ON s.request_id = c.recommendation_request_id
    WHERE c.interaction_type = 'recommendation_click' AND c.occurred_at >= %(begin)s AND c.occurred_at < %(end)s
        AND s.variant = ANY(%(labels)s)
), spent AS (
    SELECT coalesce('u:' || user_id, 's:' || session_id) AS person, occurred_at, revenue, currency
    FROM ({ORDER_LINES.format(condition="i.occurred_at >= %(begin)s AND i.occurred_at < %(end)s")}) AS line
    WHERE units > 0
), main AS (
    SELECT coalesce(
        (SELECT currency FROM spent GROUP BY currency ORDER BY sum(revenue) DESC, currency LIMIT 1), %(currency)s
    ) AS currency
), shoppers AS (
    SELECT first.variant, first.person, clicked.person IS NOT NULL AS has_clicked,
        count(spent.person) > 0 AS has_bought,
        coalesce(sum(spent.revenue) FILTER (WHERE spent.currency = main.currency), 0) AS revenue
    FROM first CROSS JOIN main LEFT JOIN clicked USING (person)
    LEFT JOIN spent ON spent.person = first.person AND spent.occurred_at >= first.served_at
    GROUP BY first.variant, first.person, clicked.person
), outcomes AS (
    SELECT variant, count(*) AS shoppers, count(*) FILTER (WHERE has_clicked) AS clickers,
        count(*) FILTER (WHERE has_bought) AS buyers, sum(revenue) AS revenue, sum(revenue * revenue) AS squares
    FROM shoppers GROUP BY variant
), counts AS (
    SELECT variant, sum(lists) AS lists, sum(impressions) AS impressions, sum(clicks) AS clicks
    FROM analytics_recommendationrollup WHERE grain = 'day' AND variant = ANY(%(labels)s) GROUP BY variant
), earned AS (
    SELECT variant, sum(conversions) AS conversions,
        sum(direct_revenue) FILTER (WHERE e.currency = main.currency) AS revenue
    FROM analytics_earningsrollup e CROSS JOIN main WHERE grain = 'day' AND variant = ANY(%(labels)s) GROUP BY variant
)
INSERT INTO experiment_results AS known (
    experiment_id, variant, as_of, shoppers, clickers, buyers, lists, impressions, clicks, conversions,
    attributed_revenue, revenue, revenue_squares, currency
)
SELECT %(experiment)s, asked.name, statement_timestamp(), coalesce(o.shoppers, 0), coalesce(o.clickers, 0),
    coalesce(o.buyers, 0), coalesce(c.lists, 0), coalesce(c.impressions, 0), coalesce(c.clicks, 0),
    coalesce(e.conversions, 0), coalesce(e.revenue, 0), coalesce(o.revenue, 0), coalesce(o.squares, 0), main.currency
FROM unnest(%(names)s::text[], %(labels)s::text[]) AS asked (name, label) CROSS JOIN main
LEFT JOIN outcomes o ON o.variant = asked.label
LEFT JOIN counts c ON c.variant = asked.label
LEFT JOIN earned e ON e.variant = asked.label
ON CONFLICT (experiment_id, variant) DO UPDATE SET
    as_of = excluded.as_of, shoppers = excluded.shoppers, clickers = excluded.clickers, buyers = excluded.buyers,
    lists = excluded.lists, impressions = excluded.impressions, clicks = excluded.clicks,
    conversions = excluded.conversions, attributed_revenue = excluded.attributed_revenue, revenue = excluded.revenue,
    revenue_squares = excluded.revenue_squares, currency = excluded.currency
"""  # noqa: S608  made of our own constants


def count_due() -> int:
    """Count every experiment that has run since it was last counted, a few minutes ago; return how many."""
    due = [row.pk for row in Experiment.objects.exclude(started_at=None).prefetch_related("results") if _is_due(row)]
    for pk in due:
        count_experiment(pk)
    return len(due)


def _is_due(experiment: Experiment) -> bool:
    counted = min((result.as_of for result in experiment.results.all()), default=None)
    if counted is None:
        return True
    if experiment.finished_at is not None:
        # Purchases within the window still change what was earned.
        until = experiment.finished_at + timedelta(days=settings.REEMIO_ATTRIBUTION_DAYS)
        return counted < until and counted < timezone.now() - timedelta(hours=1)
    return counted < timezone.now() - COUNTED_EVERY


@transaction.atomic
def count_experiment(experiment_id: int) -> None:
    """Count an experiment's variants whole, from the raw rows and the roll-ups. May run at any time, and twice."""
    row = Experiment.objects.select_for_update().prefetch_related("variants").get(pk=experiment_id)
    if row.started_at is None:
        return
    names = [variant.name for variant in row.variants.all()]
    with connection.cursor() as cursor:
        cursor.execute(
            _COUNT,
            {
                "experiment": row.pk,
                "names": names,
                "labels": [f"{row.key}:{name}" for name in names],
                "begin": row.started_at,
                "end": row.finished_at or timezone.now(),
                "currency": settings.REEMIO_DEFAULT_CURRENCY,
            },
        )


# --- statistics -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What is measured of one variant's shoppers: how many, mean and variance of a shopper, and events behind it."""

    shoppers: int
    mean: float
    variance: float
    events: int


def of_share(successes: int, shoppers: int) -> Sample:
    """Return the sample of a yes or no for each shopper."""
    mean = successes / shoppers if shoppers else 0.0
    return Sample(shoppers, mean, mean * (1 - mean), successes)


def of_sums(shoppers: int, total: float, squares: float, events: int) -> Sample:
    """Return the sample of an amount for each shopper, from its sum and the sum of its squares."""
    mean = total / shoppers if shoppers else 0.0
    return Sample(shoppers, mean, max(0.0, squares / shoppers - mean * mean) if shoppers else 0.0, events)


@dataclass(frozen=True, slots=True)
class Difference:
    """How far a variant is ahead of the first one, as a part of the first one's mean (0.04: 4 %), always-valid.

    `low` and `high` are None while there is too little to go by.
    """

    value: float | None
    low: float | None
    high: float | None

    @property
    def is_decided(self) -> bool:
        """Tell whether the interval leaves out 0."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(first: Sample, other: Sample, *, alpha: float = ALPHA) -> Difference:
    """Return how far `other` is ahead of `first`, relative to the mean of `first`."""
    if first.mean <= 0 or not first.shoppers or not other.shoppers:
        return Difference(None, None, None)
    value = other.mean - first.mean
    if min(first.shoppers, other.shoppers) < LEAST_SHOPPERS or min(first.events, other.events) < LEAST_EVENTS:
        return Difference(value / first.mean, None, None)
    half = half_width(first, other, alpha=alpha)
    return Difference(value / first.mean, (value - half) / first.mean, (value + half) / first.mean)


def half_width(first: Sample, other: Sample, *, alpha: float = ALPHA) -> float:
    """Return half the width of the always-valid interval of the difference of two means.

    √((V + τ²) V / τ² · ln((V + τ²) / (V α²))), V the variance of the difference, τ the mixture's standard deviation
    (Johari et al. 2017, section 4): here √(σ₁² + σ₂²) / √MIXTURE_SHOPPERS, fixed but for the scale.
    """
    variance = first.variance / first.shoppers + other.variance / other.shoppers
    if variance <= 0:
        return 0.0
    mixture = (first.variance + other.variance) / MIXTURE_SHOPPERS
    return math.sqrt(
        (variance + mixture) * variance / mixture * math.log((variance + mixture) / (variance * alpha * alpha))
    )


def mismatch(shoppers: Sequence[int], weights: Sequence[int]) -> float | None:
    """Return the p of a chi-square test that shoppers are split as the weights say; None where there are too few."""
    everybody, weight = sum(shoppers), sum(weights)
    if everybody < LEAST_SHOPPERS:
        return None
    return float(chisquare(list(shoppers), [everybody * one / weight for one in weights]).pvalue)


# --- the report -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arm:
    """One variant: what its shoppers did, and how far it is ahead of the first in each measure (None of the first)."""

    name: str
    weight: int
    result: ExperimentResult
    click_through: Rate
    clickers: Rate
    buyers: Rate
    revenue_per_shopper: Decimal
    clicking: Difference | None
    buying: Difference | None
    spending: Difference | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Report:
    """An experiment at a glance; `warning` says what forbids to believe it, and is empty where nothing does."""

    arms: tuple[Arm, ...]
    sentence: str
    warning: str


def report(experiment: Experiment) -> Report:
    """Return what an experiment shows so far. Two queries."""
    variants = list(experiment.variants.all())
    results = {result.variant: result for result in experiment.results.all()}
    nothing = dict.fromkeys(_NUMBERS, 0)
    found = [results.get(one.name) or ExperimentResult(variant=one.name, **nothing) for one in variants]
    alpha = ALPHA / max(1, len(variants) - 1)
    arms = tuple(
        _arm(one.name, one.weight, result, found[0] if place else None, alpha)
        for place, (one, result) in enumerate(zip(variants, found, strict=True))
    )
    p = mismatch([result.shoppers for result in found], [one.weight for one in variants]) if len(found) > 1 else None
    warning = ""
    if p is not None and p < MISMATCH:
        warning = (
            f"Shoppers are not split as the weights say (p = {p:.1g}): something treats the variants differently. "
            "Do not believe the figures before that is found."
        )
    told = [arm.sentence for arm in arms[1:] if arm.sentence]
    return Report(arms, warning or " ".join(told) or "There is nothing to compare yet.", warning)


_NUMBERS = (
    "shoppers", "clickers", "buyers", "lists", "impressions", "clicks", "conversions", "attributed_revenue", "revenue",
    "revenue_squares",
)  # fmt: skip


def _arm(name: str, weight: int, result: ExperimentResult, first: ExperimentResult | None, alpha: float) -> Arm:
    clicking, buying, spending = (
        difference(one(first), one(result), alpha=alpha) if first is not None else None
        for one in (_clicking, _buying, _spending)
    )
    spent = result.revenue / result.shoppers if result.shoppers else 0
    return Arm(
        name,
        weight,
        result,
        rate(result.clicks, result.impressions),
        rate(result.clickers, result.shoppers),
        rate(result.buyers, result.shoppers),
        round(Decimal(spent), 2),
        clicking,
        buying,
        spending,
        _sentence(name, first.variant, [clicking, buying, spending]) if first is not None else "",
    )


def _clicking(result: ExperimentResult) -> Sample:
    return of_share(result.clickers, result.shoppers)


def _buying(result: ExperimentResult) -> Sample:
    return of_share(result.buyers, result.shoppers)


def _spending(result: ExperimentResult) -> Sample:
    return of_sums(result.shoppers, float(result.revenue), float(result.revenue_squares), result.buyers)


def _sentence(name: str, first: str, compared: Sequence[Difference | None]) -> str:
    """Say who is ahead, by the measure that decides soonest of revenue, buyers and clickers."""
    clicking, buying, spending = compared
    measures = (("revenue per shopper", spending), ("buyers", buying), ("shoppers who click", clicking))
    for what, one in measures:
        if one is not None and one.is_decided:
            return f"{name} is {spoken(one)} {first} in {what}."
    return f"{name} against {first}: too early to tell."


def spoken(one: Difference) -> str:
    """Return “ahead of”, or “behind”, with the interval in percent: “4 % to 11 % ahead of”."""
    low, high = sorted(abs(end or 0.0) for end in (one.low, one.high))
    return f"{_percent(low)} to {_percent(high)} {'ahead of' if (one.low or 0) > 0 else 'behind'}"


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.1 else f"{share * 100:.1f} %".replace(".0 %", " %")


def results_as_rows(found: Report) -> list[dict[str, Any]]:
    """Return one row for each variant, for tables and CSV."""
    return [
        {
            "variant": arm.name,
            **{name: getattr(arm.result, name) for name in _NUMBERS if name != "revenue_squares"},
            "sentence": arm.sentence,
        }
        for arm in found.arms
    ]
