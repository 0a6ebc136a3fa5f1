"""What lists did: served, seen, clicked and earned in a period, grouped by any of their dimensions.

Read from roll-ups only: two queries, whatever the period. Figures are `Figures`; their rates are made in
`definitions.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet, Sum

from analytics.definitions import Rate, rate
from analytics.models import LIST_DIMENSIONS, EarningsRollup, Grain, LatencyRollup, RecommendationRollup
from analytics.periods import Period, in_period, shop_zone

COUNTED = ("lists", "empty_lists", "asked", "filled", "items", "impressions", "unique_impressions", "clicks")
CONVERTED = ("conversions", "assisted_lines")
EARNED = ("direct_revenue", "assisted_revenue")
GROUPS = (*LIST_DIMENSIONS, "starts_at")
POPULAR = "popular"
EMAIL = "email"

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """Only rows whose dimensions are these; an empty text leaves a dimension open."""

    context: str = ""
    placement: str = ""
    strategy: str = ""
    variant: str = ""
    campaign: str = ""
    device: str = ""

    def as_lookups(self) -> dict[str, str]:
        """Return the filters that are set."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a group of lists. Revenue is in `currency`, the one that earned most in the period, after refunds.

    What is `mailed_` is part of the others: that of e-mails. Where no impression of them was reported, as is usual,
    their clicks and revenue have no part in what is told of impressions.
    """

    lists: int = 0
    empty_lists: int = 0
    asked: int = 0
    filled: int = 0
    items: int = 0
    impressions: int = 0
    unique_impressions: int = 0
    clicks: int = 0
    conversions: int = 0
    assisted_lines: int = 0
    direct_revenue: Decimal = Decimal(0)
    assisted_revenue: Decimal = Decimal(0)
    currency: str = ""
    fallback_lists: int = 0
    mailed_impressions: int = 0
    mailed_clicks: int = 0
    mailed_revenue: Decimal = Decimal(0)

    @property
    def click_through_rate(self) -> Rate:
        """Return clicks / impressions; clicks in e-mails count where e-mails are reported as seen."""
        return rate(self.clicks - (0 if self.mailed_impressions else self.mailed_clicks), self.impressions)

    @property
    def conversion_rate(self) -> Rate:
        """Return conversions / clicks."""
        return rate(self.conversions, self.clicks)

    @property
    def fill_rate(self) -> Rate:
        """Return products served / products asked for."""
        return rate(self.filled, self.asked)

    @property
    def fallback_rate(self) -> Rate:
        """Return lists by popularity / lists."""
        return rate(self.fallback_lists, self.lists)

    @property
    def revenue_per_thousand(self) -> Decimal | None:
        """Return the direct revenue of a thousand impressions, with e-mails as above; None without an impression."""
        seen_revenue = self.direct_revenue - (0 if self.mailed_impressions else self.mailed_revenue)
        return round(seen_revenue * 1000 / self.impressions, 2) if self.impressions else None


def grouped(period: Period, by: Sequence[str] = (), *, filters: Filters = Filters()) -> dict[Key, Figures]:
    """Return the figures of each group, by its values of `by` (names of `GROUPS`), in the order of the keys.

    Without `by` there is one group, with the key `()`, or none where nothing happened. `starts_at` in `by` makes a
    time series (aware datetimes, gaps left out). Lists know no device: grouped or filtered by device, and at
    positions above 0, `lists` and what belongs to whole lists is 0.
    """
    figures: dict[Key, Figures] = {}
    daily = "starts_at" in by
    counts = _within(RecommendationRollup.objects.all(), period, filters, daily=daily)
    for row in counts.values(*by, "strategy", "context").annotate(**{f"n_{name}": Sum(name) for name in COUNTED}):
        key = tuple(row[name] for name in by)
        more = {name: row[f"n_{name}"] for name in COUNTED}
        more["fallback_lists"] = more["lists"] if row["strategy"] == POPULAR else 0
        for name in ("impressions", "clicks"):
            more[f"mailed_{name}"] = more[name] if row["context"] == EMAIL else 0
        figures[key] = _plus(figures.get(key, Figures()), more)
    earned = _within(EarningsRollup.objects.all(), period, filters, daily=daily)
    sums = {f"n_{name}": Sum(name) for name in (*CONVERTED, *EARNED)}
    rows = list(earned.values(*by, "context", "currency").annotate(**sums))
    currency = main_currency({row["currency"]: Decimal(0) for row in rows} | _revenue_by_currency(rows))
    for row in rows:
        key = tuple(row[name] for name in by)
        names = (*CONVERTED, *EARNED) if row["currency"] == currency else CONVERTED
        more = {name: row[f"n_{name}"] for name in names}
        more["mailed_revenue"] = more.get("direct_revenue", Decimal(0)) if row["context"] == EMAIL else Decimal(0)
        figures[key] = _plus(figures.get(key, Figures()), more)
    return {key: replace(figures[key], currency=currency) for key in sorted(figures)}


def total(period: Period, *, filters: Filters = Filters()) -> Figures:
    """Return the figures of the whole period."""
    return grouped(period, filters=filters).get((), Figures(currency=settings.REEMIO_DEFAULT_CURRENCY))


def together(groups: Iterable[Figures]) -> Figures:
    """Return the figures of groups that have nothing in common, all of one answer of `grouped`."""
    every = list(groups)
    names = [field.name for field in fields(Figures) if field.name != "currency"]
    currency = every[0].currency if every else settings.REEMIO_DEFAULT_CURRENCY
    return Figures(currency=currency, **{name: sum(getattr(one, name) for one in every) for name in names})


def series(period: Period, *, filters: Filters = Filters()) -> Iterator[tuple[datetime, Figures]]:
    """Yield the beginning of each day in which something happened, with its figures, in order."""
    for (starts_at,), figures in grouped(period, ["starts_at"], filters=filters).items():
        yield starts_at, figures


def told_by(period: Period, group_by: str) -> list[dict[str, Any]]:
    """Return the figures of each context, strategy, variant, position, device or day, as the API tells them.

    A group is named by the field `group_by`; None where that is unknown. By position, served are places in lists; by
    device they are None, as a list does not know its device. What belongs to whole lists has no position.
    """
    items = []
    for (value,), figures in grouped(period, ["starts_at" if group_by == "day" else group_by]).items():
        served: int | None = figures.items if group_by == "position" else figures.lists
        counted = (figures.impressions, figures.clicks, figures.conversions, figures.assisted_lines)
        if group_by in ("position", "device") and not value and not any(counted):
            continue
        items.append(
            {
                group_by: value.astimezone(shop_zone()).date() if group_by == "day" else value or None,
                "served": None if group_by == "device" else served,
                "impressions": figures.impressions,
                "clicks": figures.clicks,
                "click_through_rate": _rounded(figures.click_through_rate),
                "conversions": figures.conversions,
                "conversion_rate": _rounded(figures.conversion_rate),
                "attributed_revenue": figures.direct_revenue,
                "assisted_revenue": figures.assisted_revenue,
                "currency": figures.currency,
            }
        )
    return items


def _rounded(rate: Rate) -> float | None:
    return None if rate.value is None else round(rate.value, 4)


def main_currency(revenue: Mapping[str, Decimal]) -> str:
    """Return the currency that earned most (of equals the first by name), or the shop's own where nothing earned."""
    if not revenue:
        return str(settings.REEMIO_DEFAULT_CURRENCY)
    return min(revenue, key=lambda currency: (-revenue[currency], currency))


@dataclass(frozen=True, slots=True)
class Latency:
    """How long lists took, in milliseconds; None where none was timed."""

    lists: int
    p50: float | None
    p95: float | None


def latencies(period: Period) -> dict[str, Latency]:
    """Return the latency of each placement, and under “” of all together. One query."""
    rows = _within(LatencyRollup.objects.all(), period, Filters())
    histograms: dict[str, dict[int, int]] = {"": {}}
    for row in rows.values("placement", "bucket").annotate(n=Sum("lists")):
        for placement in ("", row["placement"]):
            histogram = histograms.setdefault(placement, {})
            histogram[row["bucket"]] = histogram.get(row["bucket"], 0) + row["n"]
    return {
        placement: Latency(sum(histogram.values()), percentile(histogram, 0.5), percentile(histogram, 0.95))
        for placement, histogram in sorted(histograms.items())
    }


def percentile(histogram: Mapping[int, int], share: float) -> float | None:
    """Return the upper bound, in milliseconds, of the bucket that holds this share; at most 9 % above the truth."""
    wanted, so_far = share * sum(histogram.values()), 0
    for bucket in sorted(histogram):
        so_far += histogram[bucket]
        if so_far >= wanted:
            return round(2 ** (bucket / 8), 2)
    return None


def _within(rows: QuerySet[Any], period: Period, filters: Filters, *, daily: bool = False) -> QuerySet[Any]:
    begin, end = period.bounds()
    at = Q(grain=Grain.DAY, starts_at__gte=begin, starts_at__lt=end) if daily else in_period(period)
    return rows.filter(at, **filters.as_lookups()).order_by()


def _plus(figures: Figures, more: Mapping[str, Any]) -> Figures:
    return replace(figures, **{name: getattr(figures, name) + value for name, value in more.items()})


def _revenue_by_currency(rows: Sequence[Mapping[str, Any]]) -> dict[str, Decimal]:
    revenue: dict[str, Decimal] = {}
    for row in rows:
        earned = sum((row[f"n_{name}"] for name in EARNED), Decimal(0))
        revenue[row["currency"]] = revenue.get(row["currency"], Decimal(0)) + earned
    return revenue
