"""Page 2: which lists earn, where they stand, how they were made, and how fast they come."""

from collections.abc import Mapping
from typing import Any

from analytics import performance
from analytics.definitions import Rate
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import DEVICES, PLACEMENTS, STRATEGIES
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Series
from analytics.pages.tables import Order, Table
from analytics.performance import Figures, Key

MOST_POSITIONS = 24
FIGURES = (
    Column("lists", "Served", "number", "served"),
    Column("impressions", "Seen", "number", "impressions"),
    Column("clicks", "Clicks", "number", "clicks"),
    Column("click_through_rate", "Click-through", "rate", "click_through_rate"),
    Column("conversions", "Conversions", "number", "conversions"),
    Column("conversion_rate", "Conversion rate", "rate", "conversion_rate"),
    Column("direct_revenue", "Direct", "money", "direct_revenue"),
    Column("assisted_revenue", "Assisted", "money", "assisted_revenue"),
    Column("revenue_per_thousand", "Per thousand seen", "money", "revenue_per_thousand"),
)
WHOLE = (
    Column("fill_rate", "Filled", "rate", "fill_rate"),
    Column("fallback_rate", "Fallback", "rate", "fallback_rate", only_in_files=True),
)
LATENCY = (
    Column("placement", "Placement", labels=PLACEMENTS),
    Column("lists", "Served", "number", "served"),
    Column("p50", "Median", "milliseconds", "latency_p50"),
    Column("p95", "95th percentile", "milliseconds", "latency_p95"),
)
UNSEEN = Empty(
    "Nothing was seen in this period.",
    "Impressions come from the storefront: reemio.js reports them by itself.",
)


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the page's tables."""
    by_kind = (
        Column("placement", "Placement", labels=PLACEMENTS),
        Column("strategy", "Strategy", labels=STRATEGIES),
        Column("variant", "Variant"),
    )
    by_device = (Column("device", "Device", labels={**DEVICES, "": "Unknown"}),)
    by_position = (Column("position", "Place in the list", "number"),)
    return {
        "kinds": Table(
            "kinds",
            "Placement, strategy and variant",
            (*by_kind, *FIGURES, *WHOLE),
            lambda most: _rows(asked, ("placement", "strategy", "variant")),
            Order("direct_revenue"),
            note="A variant is one arm of an experiment; lists outside of any have none.",
            empty=Empty("No list was served in this period.", "Ask the API for one, or choose a longer period."),
        ),
        "positions": Table(
            "positions",
            "By place in the list",
            (*by_position, *FIGURES[1:]),
            lambda most: [row for row in _rows(asked, ("position",)) if row["position"] and _told(row)],
            Order("position", descending=False),
            empty=UNSEEN,
            note="Places that nobody came to see are left out.",
        ),
        "devices": Table(
            "devices", "By device", (*by_device, *FIGURES[1:]), lambda most: _seen(asked), Order("impressions"), UNSEEN
        ),
        "latency": Table(
            "latency",
            "How fast lists come",
            LATENCY,
            lambda most: _latency(asked),
            Order("lists"),
            note="Measured at the server, from the question to the answer. All strategies and devices.",
        ),
    }


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the charts."""
    by_position = performance.grouped(asked.filters.period, ["position"], filters=asked.figures_filters)
    by_placement = performance.grouped(asked.filters.period, ["placement"], filters=asked.figures_filters)
    return {"charts": [_positions(by_position), _placements(by_placement)]}


def _rows(asked: Asked, by: tuple[str, ...]) -> list[Row]:
    found = performance.grouped(asked.filters.period, by, filters=asked.figures_filters)
    return [dict(zip(by, key, strict=True)) | _figures(figures) for key, figures in found.items()]


def _seen(asked: Asked) -> list[Row]:
    return [row for row in _rows(asked, ("device",)) if row["device"] or row["impressions"]]


def _told(row: Row) -> bool:
    return bool(row["impressions"] or row["clicks"] or row["conversions"])


def _figures(figures: Figures) -> dict[str, Any]:
    names = [column.key for column in (*FIGURES, *WHOLE)]
    return {name: getattr(figures, name) for name in names} | {"currency": figures.currency}


def _latency(asked: Asked) -> list[Row]:
    chosen = asked.filters.placement
    return [
        {"placement": placement or "All", "lists": found.lists, "p50": found.p50, "p95": found.p95}
        for placement, found in performance.latencies(asked.filters.period).items()
        if found.lists and (not chosen or placement == chosen)
    ]


def _positions(found: Mapping[Key, Figures]) -> Chart:
    rates = {key[0]: figures.click_through_rate for key, figures in found.items() if 0 < key[0] <= MOST_POSITIONS}
    places = [place for place, rate in sorted(rates.items()) if rate.value is not None]
    return Chart(
        "positions",
        "Click-through rate by place in the list",
        _falls(rates),
        [str(place) for place in places],
        [Series("Clicked", [rates[place].value for place in places])],
        kind="bar",
        unit="percent",
        head="Place",
    )


def _falls(rates: Mapping[int, Rate]) -> str:
    first, rest = rates.get(1), [rate for place, rate in rates.items() if place > 6]
    if first is None or first.value is None:
        return "Nothing was seen in this period."
    seen = sum(rate.trials for rate in rest)
    sentence = f"Of what was seen in the first place, {formats.percent(first.value)} was clicked"
    if not seen:
        return f"{sentence}."
    return f"{sentence}; from the seventh place on, {formats.percent(sum(rate.successes for rate in rest) / seen)}."


def _placements(found: Mapping[Key, Figures]) -> Chart:
    ranked = sorted(found.items(), key=lambda pair: -pair[1].direct_revenue)
    names = [PLACEMENTS.get(key[0], key[0]) for key, _ in ranked]
    direct, assisted = ([getattr(one, kind) for _, one in ranked] for kind in ("direct_revenue", "assisted_revenue"))
    sentence = "Nothing was earned in this period."
    if any(direct):
        best = ranked[0][1]
        sentence = f"{names[0]} earns the most: {formats.money(best.direct_revenue, best.currency)} of direct revenue."
    both = [Series("Direct revenue", direct), Series("Assisted revenue", assisted)]
    return Chart(
        "placements",
        "Revenue by placement",
        sentence,
        names,
        both,
        kind="rows",
        unit="money",
        stacked=True,
        head="Placement",
        currency=ranked[0][1].currency if ranked else "",
    )


PAGE = Page(
    "recommendations",
    "Recommendations",
    "Which lists are clicked and earn: by placement, strategy, variant, position and device?",
    build,
    tables,
    narrowing=("placement", "strategy", "device"),
    from_replica=True,
)
