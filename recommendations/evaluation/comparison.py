"""Evaluations as tables for a page: one run by method, several runs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommendations.evaluation.reports import (
    METHOD_TITLES,
    METRIC_TITLES,
    TASK_TITLES,
    ahead_in_words,
    best_of,
    cases_in_words,
    in_words,
)
from recommendations.models import Evaluation


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure in words, and whether it is the best of those it stands beside."""

    text: str
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption; each row has a head and cells."""

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side; `warning` says where they did not measure the same thing."""

    table: Table
    warning: str


def tables_of(evaluation: Evaluation) -> list[Table]:
    """Return one table for each task of a run: methods down, metrics across; the best of each metric is marked."""
    return [_task_table(task) for task in evaluation.results["tasks"]]


def _task_table(task: Mapping[str, Any]) -> Table:
    methods = task["methods"]
    caption = f"{TASK_TITLES[task['task']]}: {task['asked']} {cases_in_words(task)}"
    head = ["Method", *METRIC_TITLES.values(), "Coverage", "Reemio's lead, NDCG@10"] if methods else []
    best = {metric: best_of([found[metric] for found in methods]) for metric in METRIC_TITLES if metric != "novelty"}
    rows = []
    for place, found in enumerate(methods):
        cells = [Cell(in_words(found[metric]), metric in best and best[metric][place]) for metric in METRIC_TITLES]
        more = [Cell(f"{found['coverage']:.1%}"), Cell(ahead_in_words(found.get("engine_ahead")))]
        rows.append((METHOD_TITLES[found["method"]], [*cells, *more]))
    return Table(caption, head, rows)


def compared(runs: Sequence[Evaluation]) -> Comparison:
    """Return the engine's figures of several runs: tasks and metrics down, runs across."""
    head = ["Placement and metric"] + [f"{run}, version {run.model_version}" for run in runs]
    rows = []
    for task, title in TASK_TITLES.items():
        found = [_engine(run, task) for run in runs]
        if not any(found):
            continue
        rows.append((f"{title}: cases", [Cell(f"{one['cases']:,}" if one else "–") for one in found]))
        for metric, name in METRIC_TITLES.items():
            figures = [one[metric] if one else None for one in found]
            best = best_of(figures) if metric != "novelty" else [False] * len(figures)
            cells = [Cell(in_words(one) if one else "–", top) for one, top in zip(figures, best, strict=True)]
            rows.append((f"{title}: {name}", cells))
    return Comparison(Table("Reemio's own lists in each run", head, rows), _warning(runs))


def _engine(run: Evaluation, name: str) -> dict[str, Any] | None:
    """Return the engine's figures on a task, with the number of its cases, if the run measured it."""
    task = next((one for one in run.results["tasks"] if one["task"] == name and one["methods"]), None)
    return {**task["methods"][0], "cases": task["cases"]} if task else None


def _warning(runs: Sequence[Evaluation]) -> str:
    """Say what the runs do not share, so that nobody reads a change of the question as a change of the engine."""
    asked: dict[str, set[Any]] = {
        "moment": {run.as_of for run in runs},
        "seed": {run.seed for run in runs},
        "limit of cases": {run.results["most_cases"] for run in runs},
        "number of events to foretell": {run.results["foretold"]["after"] for run in runs},
        "number of products": {run.results["products"] for run in runs},
    }
    differing = [name for name, values in asked.items() if len(values) > 1]
    return f"These runs differ in their {', '.join(differing)}: compare with care." if differing else ""
