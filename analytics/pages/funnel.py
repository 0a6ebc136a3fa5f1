"""Page 4: how far visits come, with and without a recommendation."""

from collections.abc import Mapping
from typing import Any

from analytics.definitions import rate
from analytics.models import FunnelRollup
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Series
from analytics.pages.tables import Table
from analytics.visits import STEPS, Funnel, funnels

NAMES: Mapping[str, str] = {
    "visits": "All visits",
    "viewed": "Viewed a product",
    "saw": "Saw a recommendation",
    "clicked": "Clicked a recommendation",
    "carted": "Put something in the cart",
    "purchased": "Bought",
}
SEGMENTS: Mapping[str, str] = {
    FunnelRollup.Segment.NONE.value: "No recommendation seen",
    FunnelRollup.Segment.SAW.value: "Saw, but clicked none",
    FunnelRollup.Segment.CLICKED.value: "Clicked a recommendation",
}
# What every visit can do, whether or not it met a recommendation.
COMMON = ("viewed", "carted", "purchased")


def _sum(found: Mapping[str, Funnel]) -> Funnel:
    return Funnel(*(sum(getattr(one, step) for one in found.values()) for step in STEPS))


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the funnel of all visits, and the comparison of those with and without a recommendation."""
    found = funnels(asked.filters.period)
    every = _sum(found)
    compared = [
        Series(SEGMENTS[key], [rate(getattr(one, step), one.visits).value for step in COMMON])
        for key, one in found.items()
    ]
    charts = [
        Chart(
            "steps",
            "How far visits come",
            _steps(every),
            [NAMES[step] for step in STEPS],
            [Series("Visits", [getattr(every, step) for step in STEPS])],
            kind="rows",
            head="Step",
        ),
        Chart(
            "compared",
            "With and without a recommendation",
            _compared(found),
            [NAMES[step] for step in COMMON],
            compared,
            kind="bar",
            unit="percent",
            head="Step",
        ),
    ]
    return {"charts": charts}


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the funnel as a table: a row for each step and segment."""

    def read(most: int | None) -> list[Row]:
        found = funnels(asked.filters.period)
        every = {"": _sum(found)} | found
        if not every[""].visits:
            return []
        return [
            {
                "segment": SEGMENTS.get(key, "All visits"),
                "step": NAMES[step],
                "visits": getattr(one, step),
                "of_visits": rate(getattr(one, step), one.visits),
            }
            for key, one in every.items()
            for step in STEPS
            if key in ("", FunnelRollup.Segment.CLICKED) or step in ("visits", *COMMON)
        ]

    columns = (
        Column("segment", "Visits that"),
        Column("step", "Step"),
        Column("visits", "Visits", "number"),
        Column("of_visits", "Of all of them", "rate"),
    )
    empty = Empty("No visit in this period.", "A visit is a session on one day; events bring it.")
    note = "A visit is a session on one day. Steps need not be taken in this order."
    return {"steps": Table("steps", "Steps and visits", columns, read, empty=empty, note=note)}


def _steps(every: Funnel) -> str:
    if not every.visits:
        return "There was no visit in this period."
    bought, saw = rate(every.purchased, every.visits), rate(every.saw, every.visits)
    return (
        f"Of {formats.plural(every.visits, 'visit')}, {formats.percent(saw.value)} saw a recommendation and "
        f"{formats.percent(bought.value)} ended with a purchase."
    )


def _compared(found: Mapping[str, Funnel]) -> str:
    clicked, none = found[FunnelRollup.Segment.CLICKED], found[FunnelRollup.Segment.NONE]
    if not clicked.visits or not none.visits:
        return "There are not visits of each kind to compare in this period."
    with_click, without = rate(clicked.purchased, clicked.visits), rate(none.purchased, none.visits)
    return (
        f"Visits that clicked a recommendation bought in {formats.percent(with_click.value)} of cases, those that "
        f"saw none in {formats.percent(without.value)}. Who clicks may have wanted to buy anyway: an "
        "experiment tells what the recommendations cause."
    )


PAGE = Page(
    "funnel",
    "Funnel",
    "How far do visits come, from the first page to the purchase, with and without a recommendation?",
    build,
    tables,
    from_replica=True,
)
