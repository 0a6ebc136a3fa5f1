"""One evaluation, from the split to the stored figures."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import numpy as np
from django.utils import timezone

from recommendations.contracts import Ids, Source
from recommendations.evaluation.baselines import Baselines
from recommendations.evaluation.cases import Cases, Task, cases_of
from recommendations.evaluation.choose import trained_as_of
from recommendations.evaluation.intervals import FEW_CASES, intervals
from recommendations.evaluation.metrics import METRICS, Surprise, Values, measured, shown
from recommendations.evaluation.pipelines import Tick, lists_of, with_one_signal
from recommendations.evaluation.split import Split, split_at
from recommendations.models import Evaluation, ModelVersion
from recommendations.shelf import ActiveVersion, shelf

K = 10
ENGINE = "reemio"
NDCG = METRICS.index("ndcg")
Method = Callable[[Tick], Ids]


class VersionGoneError(Exception):
    """The version that was measured was pruned meanwhile: what was measured means nothing."""


class Progress(Protocol):
    """Hears how far a run is."""

    def step(self, name: str, total: int | None = None) -> None:
        """A new step begins, of `total` ticks where that is known."""

    def tick(self) -> None:
        """One case was answered."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured. `most` bounds the cases of each task; None takes all."""

    as_of: datetime | None = None
    tasks: Sequence[Task] = tuple(Task)
    most: int | None = None
    seed: int = 0
    train_anew: bool = False


def evaluate(plan: Plan, progress: Progress) -> Evaluation:
    """Measure the engine and the baselines on what happened after a moment; return the stored outcome.

    Raises `NothingToEvaluateError` where there are no events on one side of the moment, and `VersionGoneError`
    where other trainings pruned the version during the run. The version that answers shoppers is left alone.
    """
    began = time.perf_counter()
    split = split_at(plan.as_of)
    trained = trained_as_of(split.as_of, anew=plan.train_anew, progress=progress.step)
    shelf.refresh()
    version = ActiveVersion(trained.pk, trained.settings)
    baselines = Baselines(split)
    tasks = [_task(task, split, version, baselines, plan, progress) for task in plan.tasks]
    if not ModelVersion.objects.filter(pk=trained.pk).exists():
        raise VersionGoneError(f"{trained} was pruned by other trainings during the run. Try again.")
    results = {
        "format": 1,
        "created_at": timezone.now().isoformat(timespec="seconds"),
        "as_of": split.as_of.isoformat(),
        "model_version": trained.pk,
        "k": K,
        "seed": plan.seed,
        "most_cases": plan.most,
        "foretold": {"kind": split.deed, "before": split.before, "after": split.after},
        "products": len(baselines.products),
        "tasks": tasks,
    }
    return Evaluation.objects.create(
        as_of=split.as_of,
        model_version=trained.pk,
        settings=trained.settings,
        seed=plan.seed,
        seconds=round(time.perf_counter() - began, 3),
        results=results,
    )


def _task(
    task: Task, split: Split, version: ActiveVersion, baselines: Baselines, plan: Plan, progress: Progress
) -> dict[str, Any]:
    cases = cases_of(task, split, most=plan.most, seed=plan.seed)
    methods = _methods(task, cases, version, baselines, plan.seed) if cases.drawn else {}
    surprise = Surprise(baselines.products, baselines.counts)
    targets = [case.targets for case in cases.drawn]
    rows: dict[str, dict[str, Any]] = {}
    values: dict[str, Values] = {}
    for name, method in methods.items():
        progress.step(f"{task.value}: {name}", len(cases.drawn))
        lists = method(progress.tick)
        values[name] = measured(lists, targets, surprise)
        rows[name] = {"shown": shown(lists), "coverage": shown(lists) / max(len(baselines.products), 1)}
    return {
        "task": task.value,
        "placement": task.placement.value,
        "asked": cases.asked,
        "cases": len(cases.drawn),
        "cases_available": cases.available,
        "few": len(cases.drawn) < FEW_CASES,
        "methods": _summaries(values, rows, plan.seed),
    }


def _methods(task: Task, cases: Cases, version: ActiveVersion, baselines: Baselines, seed: int) -> Mapping[str, Method]:
    """Return what is measured on a task, the engine first."""
    drawn = cases.drawn
    content = with_one_signal(version, Source.CONTENT)
    neighbours = with_one_signal(version, Source.COLLABORATIVE)
    methods: dict[str, Method] = {
        ENGINE: lambda tick: lists_of(drawn, version=version, k=K, tick=tick),
        "content_only": lambda tick: lists_of(drawn, version=content, k=K, tick=tick),
        "item_knn_only": lambda tick: lists_of(drawn, version=neighbours, k=K, tick=tick),
    }
    if task is Task.HOMEPAGE_ALL:
        methods["own_repeat"] = _at_once(partial(baselines.own_repeat, drawn, K))
    methods["recent_popular"] = _at_once(partial(baselines.recent_popular, drawn, K))
    methods["popular"] = _at_once(partial(baselines.popular, drawn, K))
    methods["random"] = _at_once(partial(baselines.random, drawn, K, seed=seed))
    return methods


def _at_once(lists: Callable[[], Ids]) -> Method:
    return lambda _: lists()


def _summaries(values: Mapping[str, Values], rows: Mapping[str, dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Return each method's metrics with intervals, and by how much the engine's NDCG is above it, case by case."""
    if not values:
        return []
    lead = [values[ENGINE][:, NDCG] - found[:, NDCG] for found in values.values()]
    spread = intervals(np.column_stack([*values.values(), *lead]), seed=seed)
    width = len(METRICS)
    summaries = []
    for place, name in enumerate(values):
        metrics = zip(METRICS, spread[place * width : (place + 1) * width], strict=True)
        summary = {"method": name, **rows[name], **{metric: interval.as_json() for metric, interval in metrics}}
        if name != ENGINE:
            summary["engine_ahead"] = spread[len(values) * width + place].as_json()
        summaries.append(summary)
    return summaries
