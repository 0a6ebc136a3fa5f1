"""The methods that are the real pipeline: as the shop has it, and with one signal alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommendations.configuration import EngineSettings, from_json, to_json
from recommendations.contracts import Ids, Source
from recommendations.evaluation.cases import Case
from recommendations.evaluation.metrics import padded
from recommendations.pipeline import recommend
from recommendations.shelf import ActiveVersion

Tick = Callable[[], None]


def lists_of(cases: Sequence[Case], *, version: ActiveVersion, k: int, tick: Tick) -> Ids:
    """Return the pipeline's list of k for each case; `tick` is called after each. Nothing is remembered as served."""
    lists = []
    for case in cases:
        answer = recommend(replace(case.query, limit=k), version=version)
        lists.append([item.scored.product for item in answer.items])
        tick()
    return padded(lists, k)


def with_one_signal(version: ActiveVersion, source: Source) -> ActiveVersion:
    """Return the version with all weight on one signal, on every placement, and the reranker off."""
    return ActiveVersion(version.id, _one_signal(version.settings, source))


def _one_signal(settings: Mapping[str, Any], source: Source) -> dict[str, Any]:
    placements = {
        placement: replace(chosen, weights={source.value: 1.0}, rescale="max", rerank=False, mix={})
        for placement, chosen in from_json(settings).placements.items()
    }
    return to_json(EngineSettings(placements))
