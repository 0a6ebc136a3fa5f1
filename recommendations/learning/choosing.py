"""Which mix serves a placement: fitted on older cuts, judged on newer ones, kept if surely better. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from recommendations.learning.fitting import (
    Enough,
    Task,
    ascended,
    bootstrapped,
    conditional_logit,
    mean_ndcg,
    ndcg,
    unit,
)
from recommendations.learning.sparse import Floats

# Weights smaller than this are left out: their signals need not be computed at every request.
LEAST_WEIGHT = 0.01
FEWEST_CASES = 50

Default = Callable[[Task], Floats]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found for one placement: the mix, empty where the default stays, why, and all figures."""

    mix: Mapping[str, float]
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """What every rival is worth on one cut: the weights, found on what lies before it, and NDCG@10 by case.

    `values` hold the default blend's, too.
    """

    weights: Mapping[str, Floats]
    values: Mapping[str, Floats]


def choose(
    older: Sequence[Task], newest: Task, *, default: Default, seed: int, enough: Enough, last: Enough | None = None
) -> Choice:
    """Return the best of the single signals and the fitted mixes, if its gain's 95 % interval lies above 0.

    `default` scores a task's candidates as the default blend does. All are judged on the newest cut and on the one
    before it, with weights that know only what lies before each. The winner goes on from where it stands on all cuts.
    Weights are sought until `enough`, the winner's until `last`.
    """
    cases = newest.candidates.cases
    if cases < FEWEST_CASES or not _has_right(older):
        return Choice({}, f"Too little to learn from: {cases} cases on the newest cut, at least {FEWEST_CASES} needed.")
    cuts = [_judged(older, newest, default, enough)]
    # A second judgement halves the chance that a real gain goes unseen, or that mere luck wins.
    if older[-1].candidates.cases >= FEWEST_CASES and _has_right(older[:-1]):
        cuts.append(_judged(older[:-1], older[-1], default, enough))
    values = {name: np.concatenate([cut.values[name] for cut in cuts]) for name in cuts[0].values}
    means = {name: round(float(one.mean()), 5) for name, one in values.items()}
    rivals = cuts[0].weights
    winner = max(sorted(rivals), key=lambda name: means[name])
    gains = values[winner] - values["default"]
    low, high = bootstrapped(gains, seed=seed)
    evidence = {
        "cases": cases,
        "ndcg": dict(sorted(means.items(), key=lambda pair: -pair[1])),
        "winner": winner,
        "gain": {"mean": round(float(gains.mean()), 5), "low": round(low, 5), "high": round(high, 5)},
        "judged": len(gains),
    }
    if low <= 0:
        return Choice({}, "No mix was surely better than the default blend.", evidence)
    weights = rivals[winner]
    if winner not in newest.candidates.codes:
        weights = ascended([*older, newest], weights, enough=last or enough)
    mix = _named(weights, newest.candidates.codes)
    return Choice(mix, f"{winner} gains {low:.4f} to {high:.4f} NDCG@10 over the default blend.", evidence)


def _has_right(tasks: Sequence[Task]) -> bool:
    return any(task.right.any() for task in tasks)


def _judged(older: Sequence[Task], judge: Task, default: Default, enough: Enough) -> Judged:
    """Return every single signal and every fitted mix, the latter learned on the older cuts, judged on this one."""
    codes = judge.candidates.codes
    rivals: dict[str, Floats] = {code: np.eye(len(codes))[column] for column, code in enumerate(codes)}
    for name, signed in (("logit", False), ("signed logit", True)):
        rivals[name] = _without_small(conditional_logit(older, signed=signed))
    # Going on from the better one is enough: from the other one, the ascent ends as high.
    start = max(("logit", "signed logit"), key=lambda name: mean_ndcg(older, rivals[name]))
    rivals["ascended"] = _without_small(ascended(older, rivals[start], enough=enough))
    values = {name: ndcg(judge, judge.candidates.signals @ w.astype(np.float32)) for name, w in rivals.items()}
    return Judged(rivals, values | {"default": ndcg(judge, default(judge))})


def _without_small(weights: Floats) -> Floats:
    return unit(np.where(np.abs(unit(weights)) < LEAST_WEIGHT, 0.0, weights))


def _named(weights: Floats, codes: Sequence[str]) -> dict[str, float]:
    kept = _without_small(weights)
    return {code: round(float(weight), 5) for code, weight in zip(codes, kept, strict=True) if weight != 0}
