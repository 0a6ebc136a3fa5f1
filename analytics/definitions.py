"""What each measure means, once: pages, API, CSV and tests all read it here, and all rates are made here."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

# A rate of fewer trials than this is greyed: it says next to nothing.
LEAST_TRIALS: Final = 100
# The 0.975 quantile of the normal distribution, for intervals of 95 %.
Z_95: Final = 1.959963984540054
# Of the products that were seen at all, this share counts as the top.
TOP_SHARE: Final = 0.1


class Unit(StrEnum):
    """How a measure is written."""

    COUNT = "count"
    RATIO = "ratio"
    MONEY = "money"
    MILLISECONDS = "milliseconds"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure's name in code, its label for people, its formula, one sentence for a tooltip, and its unit."""

    name: str
    label: str
    formula: str
    sentence: str
    unit: Unit = Unit.COUNT

    @property
    def text(self) -> str:
        """Return the sentence, with the formula where it says more."""
        return f"{self.sentence} ({self.formula})" if self.unit is not Unit.COUNT and self.formula else self.sentence


_ALL = (
    Measure(
        "served",
        "Served",
        "lists served",
        "Recommendation lists that Reemio answered; by position or product, how often one was in such a list.",
    ),
    Measure(
        "impressions",
        "Impressions",
        "distinct (list, product) seen",
        "Times a storefront reported a recommended product as seen; a repeat of the same product in the "
        "same list counts once.",
    ),
    Measure(
        "unique_impressions",
        "Unique impressions",
        "distinct (person, product, five minutes) seen",
        "Impressions, but a product that one person sees in several lists within five minutes counts once.",
    ),
    Measure(
        "clicks",
        "Clicks",
        "distinct (list, product) clicked",
        "Times a recommended product was clicked; repeats within one list count once.",
    ),
    Measure(
        "click_through_rate",
        "Click-through rate",
        "clicks / impressions",
        "How many of the recommendations that were seen were clicked. Clicks in e-mails are left out where nothing "
        "reports what was seen of them.",
        Unit.RATIO,
    ),
    Measure(
        "conversions",
        "Conversions",
        "order lines credited to a click on their product",
        "Order lines whose product the same person had clicked in a recommendation within the window; the "
        "last click gets the credit, and what came back whole does not count.",
    ),
    Measure(
        "conversion_rate",
        "Conversion rate",
        "conversions / clicks",
        "How many clicks led to a purchase of what was clicked.",
        Unit.RATIO,
    ),
    Measure(
        "direct_revenue",
        "Direct revenue",
        "Σ price × units kept, of conversions",
        "What the conversions earned, after refunds.",
        Unit.MONEY,
    ),
    Measure(
        "assisted_revenue",
        "Assisted revenue",
        "Σ price × units kept, of other lines in the same orders",
        "What else was in the orders that hold a conversion, after refunds.",
        Unit.MONEY,
    ),
    Measure(
        "attributed_revenue",
        "Attributed revenue",
        "direct revenue",
        "What the conversions earned, after refunds; what else was in their orders is told apart.",
        Unit.MONEY,
    ),
    Measure(
        "revenue_per_thousand",
        "Revenue per thousand impressions",
        "1,000 × direct revenue / impressions",
        "What a thousand recommendations earn by being seen.",
        Unit.MONEY,
    ),
    Measure(
        "fill_rate",
        "Fill rate",
        "products served / products asked for",
        "How many of the places that a storefront asked to fill were filled.",
        Unit.RATIO,
    ),
    Measure(
        "fallback_rate",
        "Fallback rate",
        "lists by popularity / lists served",
        "How many lists had nothing to go by, and showed what is popular.",
        Unit.RATIO,
    ),
    Measure(
        "coverage",
        "Catalogue coverage",
        "available products recommended / available products",
        "How much of what can be bought was recommended at least once.",
        Unit.RATIO,
    ),
    Measure(
        "concentration",
        "Concentration",
        "impressions of the top 10 % of products / impressions",
        "How much of all attention the most shown tenth of the products that were seen at all takes.",
        Unit.RATIO,
    ),
    Measure(
        "latency_p50",
        "Median latency",
        "50th percentile",
        "Half of the lists were answered within this time.",
        Unit.MILLISECONDS,
    ),
    Measure(
        "latency_p95",
        "95th percentile latency",
        "95th percentile",
        "All but the slowest twentieth of the lists were answered within this time.",
        Unit.MILLISECONDS,
    ),
    Measure(
        "views",
        "Views",
        "events of type view",
        "Times a product's page was viewed.",
    ),
    Measure(
        "unique_users",
        "Shoppers",
        "distinct persons",
        "Different people behind those events; a guest counts once per session.",
    ),
    Measure(
        "recommendations",
        "Recommended",
        "places in served lists",
        "Times the product stood in a list that was served.",
    ),
    Measure(
        "purchases",
        "Purchases",
        "order lines",
        "Order lines of which something was kept.",
    ),
    Measure(
        "units",
        "Units",
        "Σ quantity − returned",
        "Pieces bought and kept; a line without a quantity is one piece.",
    ),
    Measure(
        "revenue",
        "Revenue",
        "Σ price × units kept",
        "Units times their unit price (or the product's price, where the event has none), in the currency "
        "that earned the most; other currencies are left out.",
        Unit.MONEY,
    ),
    Measure(
        "currency",
        "Currency",
        "",
        "The currency of the revenue, by its ISO 4217 code.",
        Unit.TEXT,
    ),
    Measure(
        "out_of_stock",
        "Served out of stock",
        "places in served lists",
        "Times a product was served while it could not be bought. Must be 0.",
    ),
    Measure(
        "searches",
        "Searches",
        "events of type search",
        "Times somebody searched.",
    ),
    Measure(
        "no_result_rate",
        "Searches without result",
        "searches without result / searches",
        "How many searches found nothing.",
        Unit.RATIO,
    ),
    Measure(
        "clicks_per_search",
        "Clicks per search",
        "clicks in results / searches",
        "How many products were clicked in results, for each search.",
        Unit.RATIO,
    ),
)
MEASURES: Final[Mapping[str, Measure]] = MappingProxyType({measure.name: measure for measure in _ALL})


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with its 95 % Wilson interval. `value`, `low` and `high` are None where there were no trials.

    `value` may exceed 1 where successes may outnumber trials (clicks on what was not reported as seen); the interval
    then is that of all trials succeeding.
    """

    successes: int
    trials: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def is_thin(self) -> bool:
        """Tell whether there were too few trials to go by: such a rate is greyed."""
        return self.trials < LEAST_TRIALS


def may_be_chance(now: Rate, before: Rate) -> bool:
    """Tell whether two rates may differ by chance alone: neither interval ends before the other begins."""
    if now.low is None or now.high is None or before.low is None or before.high is None:
        return True
    return now.low <= before.high and before.low <= now.high


def rate(successes: int, trials: int) -> Rate:
    """Return `successes / trials` with its interval."""
    if trials <= 0:
        return Rate(successes, 0, None, None, None)
    low, high = wilson(min(successes, trials), trials)
    return Rate(successes, trials, successes / trials, low, high)


def wilson(successes: int, trials: int, *, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion (Wilson 1927), within [0, 1]; `trials` is at least 1."""
    share = successes / trials
    scale = 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    return (0.0 if successes == 0 else max(0.0, middle - half)), (
        1.0 if successes == trials else min(1.0, middle + half)
    )


def concentration(impressions: list[int]) -> Rate:
    """Return the share of all impressions that the top tenth of these products (at least one) has."""
    ranked = sorted((count for count in impressions if count > 0), reverse=True)
    return rate(sum(ranked[: max(1, math.ceil(len(ranked) * TOP_SHARE))]), sum(ranked))
