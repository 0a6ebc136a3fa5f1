"""Experiments: what each has shown so far, in a sentence, with intervals that bear being looked at every day."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse

from analytics import experiments
from analytics.experiments import Arm, Difference
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import PLACEMENTS
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Empty
from analytics.pages.tables import Table
from recommendations.models import Experiment

# Each takes two queries.
SHOWN = 5
STATES: Mapping[str, tuple[str, str]] = {
    Experiment.State.DRAFT.value: ("draft", "info"),
    Experiment.State.RUNNING.value: ("running", "good"),
    Experiment.State.FINISHED.value: ("finished", "info"),
}
COLUMNS = (
    Column("experiment", "Experiment", only_in_files=True),
    Column("variant", "Variant"),
    Column("weight", "Weight", "number"),
    Column("shoppers", "Shoppers", "number"),
    Column("clickers", "Who clicked", "rate"),
    Column("buyers", "Who bought", "rate"),
    Column("revenue_per_shopper", "Revenue per shopper", "money"),
    Column("clicking", "Ahead in clicking"),
    Column("buying", "Ahead in buying"),
    Column("spending", "Ahead in spending"),
)


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the experiments, the latest first, each with its report."""
    found = _experiments(asked)
    may_define = asked.may("recommendations.add_experiment")
    return {
        "experiments": [
            {
                "row": one,
                "state": STATES[one.state],
                "placement": PLACEMENTS.get(one.placement, one.placement),
                "report": report,
                "table": _table(one, report),
                "link": reverse("admin:recommendations_experiment_change", args=[one.pk]),
            }
            for one, report in found
        ],
        "list": reverse("admin:recommendations_experiment_changelist"),
        "empty": Empty(
            "No experiment yet.",
            "An experiment splits the shoppers of a placement between two ways to answer, and tells which earns more.",
            *(("Define an experiment", reverse("admin:recommendations_experiment_add")) if may_define else ()),
        ),
        "as_of": max((result.as_of for one, _ in found for result in one.results.all()), default=None),
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return all variants of the experiments shown, for a file."""

    def read(most: int | None) -> Iterator[Row]:
        for one, report in _experiments(asked):
            for arm in report.arms:
                yield _row(one, arm)

    return {"variants": Table("variants", "All variants", COLUMNS, read, ranked=True)}


def _experiments(asked: Asked) -> list[tuple[Experiment, experiments.Report]]:
    def read() -> list[tuple[Experiment, experiments.Report]]:
        rows = Experiment.objects.prefetch_related("variants", "results")[:SHOWN]
        return [(one, experiments.report(one)) for one in rows]

    return asked.once("experiments", read)


def _table(one: Experiment, report: experiments.Report) -> Table:
    rows = [_row(one, arm) for arm in report.arms]
    return Table("variants", f"Variants of “{one.name}”", COLUMNS, lambda most: rows, ranked=True)


def _row(one: Experiment, arm: Arm) -> dict[str, Any]:
    return {
        "experiment": one.key,
        "variant": arm.name,
        "weight": arm.weight,
        "shoppers": arm.result.shoppers,
        "clickers": arm.clickers,
        "buyers": arm.buyers,
        "revenue_per_shopper": arm.revenue_per_shopper,
        "currency": arm.result.currency,
        "clicking": _said(arm.clicking),
        "buying": _said(arm.buying),
        "spending": _said(arm.spending),
    }


def _said(one: Difference | None) -> str:
    """Say how far a variant is ahead of the first one; of the first, that it is what the others are compared with."""
    if one is None:
        return "the reference"
    if one.low is None or one.high is None:
        return "too early to tell"
    return f"{_percent(one.low)} to {_percent(one.high)}"


def _percent(share: float) -> str:
    return f"{'+' if share > 0 else '−' if share < 0 else ''}{formats.percent(abs(share))}"


PAGE = Page(
    "experiments",
    "Experiments",
    "Which way to answer is better, and is it sure?",
    build,
    tables,
    has_period=False,
    section="Decide",
)
