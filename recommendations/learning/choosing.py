"""Which mix serves a placement: fitted on older cuts, judged on the newest, kept if surely better. Pure."""

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


def choose(
    older: Sequence[Task], newest: Task, *, default: Default, seed: int, enough: Enough, last: Enough | None = None
) -> Choice:
    """Return the best of the single signals and the fitted mixes, if its gain's 95 % interval lies above 0.

    `default` scores a task's candidates as the default blend does. The gain is measured on the newest cut and, with
    weights that know only what lies before it, on the cut before. The winner goes on from where it stands on all cuts.
    Weights are sought until `enough`, the winner's until `last`.
    """
    cases = newest.candidates.cases
    if cases < FEWEST_CASES or not older or not any(task.right.any() for task in older):
        return Choice({}, f"Too little to learn from: {cases} cases on the newest cut, at least {FEWEST_CASES} needed.")
    rivals = _rivals(older, newest, enough)
    values = {name: ndcg(newest, newest.candidates.signals @ w.astype(np.float32)) for name, w in rivals.items()}
    values["default"] = ndcg(newest, default(newest))
    means = {name: round(float(one.mean()), 5) for name, one in values.items()}
    winner = max(sorted(rivals), key=lambda name: means[name])
    gains = values[winner] - values["default"]
    before = _gains_before(winner, older, default, enough)
    low, high = bootstrapped(np.concatenate([gains, before]), seed=seed)
    evidence = {
        "cases": cases,
        "ndcg": dict(sorted(means.items(), key=lambda pair: -pair[1])),
        "winner": winner,
        "gain": {
            "mean": round(float(np.concatenate([gains, before]).mean()), 5),
            "low": round(low, 5),
            "high": round(high, 5),
        },
        "judged": len(gains) + len(before),
    }
    if low <= 0:
        return Choice({}, "No mix was surely better than the default blend.", evidence)
    weights = rivals[winner]
    if winner not in newest.candidates.codes:
        weights = ascended([*older, newest], weights, enough=last or enough)
    mix = _named(weights, newest.candidates.codes)
    return Choice(mix, f"{winner} gains {low:.4f} to {high:.4f} NDCG@10 over the default blend.", evidence)


def _rivals(older: Sequence[Task], newest: Task, enough: Enough) -> dict[str, Floats]:
    codes = newest.candidates.codes
    rivals: dict[str, Floats] = {code: np.eye(len(codes))[column] for column, code in enumerate(codes)}
    for name, signed in (("logit", False), ("signed logit", True)):
        rivals[name] = _without_small(conditional_logit(older, signed=signed))
    # Going on from the better one is enough: from the other one, the ascent ends as high.
    start = max(("logit", "signed logit"), key=lambda name: mean_ndcg(older, rivals[name]))
    rivals[f"{start}, ascended"] = _without_small(ascended(older, rivals[start], enough=enough))
    return rivals


def _gains_before(winner: str, older: Sequence[Task], default: Default, enough: Enough) -> Floats:
    """Return the winner's gains on the cut before the newest, its weights fitted anew on what lies before that one.

    A second judgement, on cases that took no part either, halves the chance that a real gain goes unseen.
    """
    *earlier, judge = older
    if judge.candidates.cases < FEWEST_CASES:
        return np.zeros(0)
    codes = judge.candidates.codes
    if winner in codes:
        weights = np.eye(len(codes))[codes.index(winner)]
    elif not any(task.right.any() for task in earlier):
        return np.zeros(0)
    else:
        weights = _without_small(conditional_logit(earlier, signed=winner.startswith("signed")))
        if winner.endswith("ascended"):
            weights = _without_small(ascended(earlier, weights, enough=enough))
    return ndcg(judge, judge.candidates.signals @ weights.astype(np.float32)) - ndcg(judge, default(judge))


def _without_small(weights: Floats) -> Floats:
    return unit(np.where(np.abs(unit(weights)) < LEAST_WEIGHT, 0.0, weights))


def _named(weights: Floats, codes: Sequence[str]) -> dict[str, float]:
    kept = _without_small(weights)
    return {code: round(float(weight), 5) for code, weight in zip(codes, kept, strict=True) if weight != 0}
