"""Page 4: how far visits come, with and without a recommendation."""

from collections.abc import Mapping
from typing import Any

from analytics.definitions import rate
from analytics.models import VisitRollup
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Series
from analytics.pages.tables import Table
from analytics.periods import Period
from analytics.visits import STEPS, Funnel, funnels, total

NAMES: Mapping[str, str] = {
    "visits": "All visits",
    "viewed": "Viewed a product",
    "saw": "Saw a recommendation",
    "clicked": "Clicked a recommendation",
    "carted": "Put something in the cart",
    "purchased": "Bought",
}
SEGMENTS: Mapping[str, str] = {
    VisitRollup.Segment.NONE.value: "No recommendation seen",
    VisitRollup.Segment.SAW.value: "Saw, but clicked none",
    VisitRollup.Segment.CLICKED.value: "Clicked a recommendation",
}
# What every visit can do, whether or not it met a recommendation.
COMMON = ("viewed", "carted", "purchased")


def _found(asked: Asked, period: Period) -> Mapping[str, Funnel]:
    return asked.once(f"funnels {period}", lambda: funnels(period, **asked.filters.narrowed))


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the funnel of all visits, and the comparison of those with and without a recommendation."""
    found = _found(asked, asked.filters.period)
    every = total(found.values())
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
        found = _found(asked, asked.filters.period)
        every = {"": total(found.values()), **found}
        if not every[""].visits:
            return []
        before = _found(asked, asked.filters.before) if asked.filters.compare else {}
        earlier = {"": total(before.values()), **before}
        return [
            {
                "segment": SEGMENTS.get(key, "All visits"),
                "step": NAMES[step],
                "visits": getattr(one, step),
                "of_visits": rate(getattr(one, step), one.visits),
                "before": rate(getattr(earlier[key], step), earlier[key].visits) if key in earlier else None,
            }
            for key, one in every.items()
            for step in STEPS
            if key in ("", VisitRollup.Segment.CLICKED) or step in ("visits", *COMMON)
        ]

    columns = (
        Column("segment", "Visits that"),
        Column("step", "Step"),
        Column("visits", "Visits", "number"),
        Column("of_visits", "Of all of them", "rate"),
        Column("before", "In the period before", "rate"),
    )
    empty = Empty("No visit in this period.", "A visit is a session on one day; events bring it.")
    note = "A visit is a session on one day. Steps need not be taken in this order."
    if asked.filters.placement or asked.filters.strategy:
        note += " Only recommendations of the chosen placement and strategy count as seen and clicked."
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
    clicked, none = found[VisitRollup.Segment.CLICKED], found[VisitRollup.Segment.NONE]
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
    narrowing=("placement", "strategy", "device"),
    from_replica=True,
)
