"""Page 1, the admin's front page: what the recommendations earn, what is wrong, and what to do next."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils import timezone

from analytics import machinery, performance, products, searches
from analytics.advice import Situation, advice_of
from analytics.alerts import alerts_of
from analytics.pages import formats
from analytics.pages.cells import Column
from analytics.pages.days import ByDay, by_day, days_of, labels, values
from analytics.pages.filters import PLACEMENTS
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Meter, Series
from analytics.pages.places import located
from analytics.pages.tables import Order, Table
from analytics.pages.tiles import tiles
from analytics.performance import Figures
from analytics.sales import revenue_in

DAYS = (
    Column("day", "Day", "day"),
    Column("lists", "Served", "number", "served"),
    Column("impressions", "Impressions", "number", "impressions"),
    Column("clicks", "Clicks", "number", "clicks"),
    Column("click_through_rate", "Click-through rate", "rate", "click_through_rate"),
    Column("conversions", "Conversions", "number", "conversions"),
    Column("direct_revenue", "Direct revenue", "money", "direct_revenue"),
    Column("assisted_revenue", "Assisted revenue", "money", "assisted_revenue"),
)


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the sentence, the tiles, the time series, alerts and advice."""
    filters, narrowed = asked.filters, asked.figures_filters
    by_placement = performance.grouped(filters.period, ["placement"], filters=narrowed)
    now = performance.together(by_placement.values())
    before = performance.total(filters.before, filters=narrowed) if filters.compare else None
    days = _days(asked)
    state = machinery.read()
    situation = Situation(
        figures=now,
        searches=searches.search_total(filters.period),
        vain=searches.queries_without_result(filters.period, limit=3),
        ignored=products.never_clicked(filters.period, limit=20),
        out_of_stock=state.out_of_stock_week,
        has_events=state.last_event is not None,
        running_experiments=state.running_experiments,
        tuned=state.tuned,
    )
    return {
        "sentence": _sentence(now, revenue_in(filters.period, currency=now.currency), str(filters)),
        "tiles": tiles(now, before, days, filters.period),
        "charts": [_revenue(days, asked, now.currency), _clicks(days, asked)],
        "sources": _sources(by_placement, asked),
        "alerts": [located(alert) for alert in alerts_of(state, now=timezone.now())],
        "advice": [located(one) for one in advice_of(situation)],
        "as_of": state.rolled_up_to,
    }


def _days(asked: Asked) -> ByDay:
    """Return the days, read once for the chart, the sparklines and the table."""
    return asked.once("days", lambda: by_day(performance.series(asked.filters.period, filters=asked.figures_filters)))


def _sentence(now: Figures, everything: Decimal, period: str) -> str:
    """Say in one sentence what the recommendations earned."""
    if not now.direct_revenue and not now.assisted_revenue:
        return f"No purchase was credited to a recommendation in {period}."
    earned = f"Recommendations earned {formats.money(now.direct_revenue, now.currency)} in {period}"
    if everything:
        earned += f": {formats.percent(float(now.direct_revenue / everything))} of the shop’s revenue"
    return f"{earned}. Orders with them brought another {formats.money(now.assisted_revenue, now.currency)}."


def _sources(found: Mapping[performance.Key, Figures], asked: Asked) -> list[Meter]:
    """Return which share of the direct revenue each placement earned."""
    everything = sum((one.direct_revenue for one in found.values()), Decimal(0))
    ranked = sorted(found.items(), key=lambda pair: -pair[1].direct_revenue)
    return [
        Meter(
            PLACEMENTS.get(placement, placement or "Unknown"),
            float(one.direct_revenue / everything),
            formats.money(one.direct_revenue, one.currency),
            formats.plural(one.conversions, "conversion"),
            f"{reverse('admin:analytics_recommendations')}?{asked.filters.query(placement=placement)}",
        )
        for (placement,), one in ranked
        if one.direct_revenue > 0
    ]


def _revenue(days: Any, asked: Asked, currency: str) -> Chart:
    period = asked.filters.period
    direct = values(days, period, lambda figures: figures.direct_revenue)
    assisted = values(days, period, lambda figures: figures.assisted_revenue)
    best = max(range(len(direct)), key=lambda place: direct[place])
    sentence = "Nothing was earned in this period."
    if any(direct):
        most = formats.money(direct[best], currency)
        sentence = f"The best day was {labels(period)[best]}, with {most} of direct revenue."
    both = [Series("Direct revenue", direct), Series("Assisted revenue", assisted)]
    return Chart(
        "revenue", "Revenue by day", sentence, labels(period), both, kind="bar", unit="money", stacked=True,
        currency=currency,
    )  # fmt: skip


def _clicks(days: Any, asked: Asked) -> Chart:
    period = asked.filters.period
    rates = values(days, period, lambda figures: figures.click_through_rate.value)
    known = [rate for rate in rates if rate is not None]
    sentence = "Nothing was seen in this period."
    if known:
        low, high = formats.percent(min(known)), formats.percent(max(known))
        sentence = f"Between {low} and {high} of what was seen was clicked, day by day."
    return Chart(
        "clicks", "Click-through rate by day", sentence, labels(period), [Series("Clicked", rates)], unit="percent"
    )


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the days as a table."""

    def read(most: int | None) -> list[dict[str, Any]]:
        days = _days(asked)
        rows = []
        for day in days_of(asked.filters.period):
            figures = days.get(day, Figures())
            rows.append({"day": day, **{column.key: getattr(figures, column.key) for column in DAYS[1:]}})
        return [row | {"currency": days[max(days)].currency if days else ""} for row in rows]

    return {"days": Table("days", "Day by day", DAYS, read, Order("day"), shown=14)}


PAGE = Page(
    "overview",
    "Overview",
    "What do the recommendations earn, is anything wrong, and what should be done next?",
    build,
    tables,
    narrowing=("placement", "strategy", "device"),
    from_replica=True,
)
