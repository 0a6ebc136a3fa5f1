"""What was searched for, in vain or not, and what was clicked in the results. Read from roll-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, Sum

from analytics.definitions import Rate, rate
from analytics.models import (
    Rollup,
    SearchClickDetailRollup,
    SearchClickRollup,
    SearchDetailRollup,
    SearchRollup,
)
from analytics.periods import Period, in_period

# The rare queries of each hour, pooled.
OTHERS = ""
NUMBERS = ("searches", "without_results", "clicks")


@dataclass(frozen=True, slots=True)
class Query:
    """One search text with its counts; `OTHERS` stands for the rare ones together."""

    query: str
    searches: int = 0
    without_results: int = 0
    clicks: int = 0

    @property
    def no_result_rate(self) -> Rate:
        """Return searches without result / searches."""
        return rate(self.without_results, self.searches)

    @property
    def clicks_per_search(self) -> Rate:
        """Return clicks in results / searches."""
        return rate(self.clicks, self.searches)


def top_queries(period: Period, *, limit: int = 20, device: str = "") -> list[Query]:
    """Return the texts searched for most often, the most frequent first; without `OTHERS`. One query."""
    rows = _queries(period, device).exclude(query=OTHERS).filter(n_searches__gt=0)
    return [_query(row) for row in rows.order_by("-n_searches", "query")[:limit]]


def queries_without_result(period: Period, *, limit: int = 20, device: str = "") -> list[Query]:
    """Return the texts that most often found nothing, the most frequent first. One query."""
    rows = _queries(period, device).exclude(query=OTHERS).filter(n_without_results__gt=0)
    return [_query(row) for row in rows.order_by("-n_without_results", "query")[:limit]]


def search_total(period: Period, *, device: str = "") -> Query:
    """Return the counts of all searches together, under the text “”. One query."""
    rows = _searches(period, device)
    sums = rows.aggregate(**{name: Sum(name) for name in NUMBERS})
    return Query("", **{name: sums[name] or 0 for name in NUMBERS})


def clicked_after_search(period: Period, *, limit: int = 20, device: str = "") -> list[tuple[str, str, int]]:
    """Return (query, product id, clicks) of what was clicked most in results. One query."""
    rows = _rows(period, device, SearchClickRollup, SearchClickDetailRollup)
    ranked = rows.values("query", "product_id").annotate(n=Sum("clicks"))
    return [(row["query"], row["product_id"], row["n"]) for row in ranked.order_by("-n", "query", "product_id")[:limit]]


def _queries(period: Period, device: str) -> QuerySet[Any, Any]:
    sums = {f"n_{name}": Sum(name) for name in NUMBERS}
    counted: QuerySet[Any, Any] = _searches(period, device).values("query").annotate(**sums)
    return counted


def _searches(period: Period, device: str) -> QuerySet[Any, Any]:
    return _rows(period, device, SearchRollup, SearchDetailRollup)


def _rows(period: Period, device: str, every: type[Rollup], details: type[Rollup]) -> QuerySet[Any, Any]:
    """Return a period's rows: of one device from the details, which have many more."""
    rows: QuerySet[Any, Any] = QuerySet(details if device else every).filter(in_period(period)).order_by()
    return rows.filter(device=device) if device else rows


def _query(row: Mapping[str, Any]) -> Query:
    return Query(row["query"], **{name: row[f"n_{name}"] for name in NUMBERS})
