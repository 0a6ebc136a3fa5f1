"""Finding a mix: candidates with their signals side by side, weights that rank the right ones first. No Django here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.optimize import minimize

from recommendations.learning.sparse import Floats, Ints, entries

PLACES = 10
DISCOUNT = 1 / np.log2(np.arange(PLACES) + 2)
STEPS = (0.0, 0.5, 0.8, 1.25, 2.0)
SEED_WEIGHT = 0.05
TOLERANCE = 2e-4

Enough = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Candidates:
    """n candidates of m cases, by case and product; `signals` is n × k in [0, 1], the columns named by `codes`."""

    case: Ints
    product: Ints
    signals: npt.NDArray[np.float32]
    codes: tuple[str, ...]
    cases: int


@dataclass(frozen=True, slots=True)
class Task:
    """Candidates, which of them were right, and how many right answers each case has."""

    candidates: Candidates
    right: npt.NDArray[np.bool_]
    wanted: Ints

    @classmethod
    def of(cls, candidates: Candidates, targets: sp.csr_matrix) -> "Task":
        """Return the task whose right answers are the entries of cases × products `targets`."""
        right = entries(targets, candidates.case, candidates.product) > 0
        return cls(candidates, right, np.diff(targets.indptr).astype(np.int64))


def ndcg(task: Task, score: npt.NDArray[np.floating]) -> Floats:
    """Return the binary NDCG@10 of each case; one without candidates scores 0. Of equals, the smaller id is first."""
    of = task.candidates
    count = np.bincount(of.case, minlength=of.cases)
    column = np.arange(len(of.case)) - (np.cumsum(count) - count)[of.case]
    width = max(int(count.max(initial=0)), PLACES + 1)
    table, right = np.full((of.cases, width), -np.inf, np.float32), np.zeros((of.cases, width), bool)
    table[of.case, column], right[of.case, column] = score, task.right
    top = np.argpartition(-table, PLACES, axis=1)[:, :PLACES]
    top = np.take_along_axis(top, np.argsort(-np.take_along_axis(table, top, 1), axis=1, kind="stable"), 1)
    gain = np.take_along_axis(right, top, 1) @ DISCOUNT
    ideal = np.concatenate([[0.0], np.cumsum(DISCOUNT)])[np.minimum(task.wanted, PLACES)]
    return np.asarray(gain / np.maximum(ideal, 1e-12), np.float64)


def conditional_logit(tasks: Sequence[Task], *, signed: bool, ridge: float = 1e-4, most: int = 60) -> Floats:
    """Return the weights under which the right candidates are likeliest, a softmax over each case (McFadden 1974).

    A case with t right candidates weighs √t, so that one huge order does not speak for everybody. The problem is
    convex: there is one answer. Without a right candidate anywhere, all weights are equal.
    """
    signals, right, group = _stacked(tasks)
    if len(group) == 0:
        return unit(np.ones(signals.shape[1]))
    start = np.concatenate([[0], np.flatnonzero(np.diff(group)) + 1])
    positives = np.add.reduceat(right, start)
    weight = 1 / np.sqrt(positives)
    of_row, total, chosen = weight[group], weight.sum(), weight * positives

    def loss(w: Floats) -> tuple[float, Floats]:
        score = signals @ w.astype(np.float32)
        top = np.maximum.reduceat(score, start)
        likely = np.exp(score - top[group])
        sums = np.add.reduceat(likely, start)
        gain = float((of_row * right * score).sum() - (chosen * (top + np.log(sums))).sum())
        slope = signals.T @ (chosen[group] * likely / sums[group] - of_row * right).astype(np.float32)
        return -gain / total + ridge * float(w @ w), slope / total + 2 * ridge * w

    bounds = [(None if signed else 0, None)] * signals.shape[1]
    found = minimize(
        loss, np.ones(signals.shape[1]), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": most}
    )
    return unit(np.asarray(found.x, np.float64))


def _stacked(tasks: Sequence[Task]) -> tuple[npt.NDArray[np.float32], Floats, Ints]:
    """Return the rows of those cases that have a right candidate, of all tasks, with running numbers of the cases."""
    columns = tasks[0].candidates.signals.shape[1]
    signals, right, groups, offset = [np.zeros((0, columns), np.float32)], [np.zeros(0)], [np.zeros(0, np.int64)], 0
    for task in tasks:
        of = task.candidates
        used = (np.bincount(of.case[task.right], minlength=of.cases) > 0)[of.case]
        if not used.any():
            continue
        _, group = np.unique(of.case[used], return_inverse=True)
        signals.append(of.signals[used])
        right.append(task.right[used].astype(np.float64))
        groups.append(group + offset)
        offset += int(group.max()) + 1
    return np.concatenate(signals), np.concatenate(right), np.concatenate(groups)


def ascended(tasks: Sequence[Task], weights: Floats, *, enough: Enough, rounds: int = 2) -> Floats:
    """Improve weights one at a time by mean NDCG@10 (coordinate ascent, Metzler & Croft 2007), until `enough`."""
    weights = unit(weights)
    scores = [task.candidates.signals @ weights.astype(np.float32) for task in tasks]
    best = _mean(tasks, scores)
    for _ in range(rounds):
        before = best
        for column in range(len(weights)):
            if enough():
                return unit(weights)
            trials = {float(weights[column]) * step for step in STEPS} | {float(weights[column]) + SEED_WEIGHT}
            for value in sorted(trials - {float(weights[column])}):
                change = np.float32(value - weights[column])
                moved = [s + change * t.candidates.signals[:, column] for s, t in zip(scores, tasks, strict=True)]
                if (mean := _mean(tasks, moved)) > best + TOLERANCE:
                    best, scores = mean, moved
                    weights = np.concatenate([weights[:column], [value], weights[column + 1 :]])
        if best <= before + TOLERANCE:
            break
    return unit(weights)


def mean_ndcg(tasks: Sequence[Task], weights: Floats) -> float:
    """Return the mean NDCG@10 of a mix, every task counting the same."""
    return _mean(tasks, [task.candidates.signals @ weights.astype(np.float32) for task in tasks])


def unit(weights: Floats) -> Floats:
    """Return the weights scaled so that their sizes add up to 1."""
    return weights / max(float(np.abs(weights).sum()), 1e-12)


def _mean(tasks: Sequence[Task], scores: Sequence[npt.NDArray[np.floating]]) -> float:
    return float(np.mean([ndcg(task, score).mean() for task, score in zip(tasks, scores, strict=True)]))


def bootstrapped(differences: Floats, *, seed: int, samples: int = 1000) -> tuple[float, float]:
    """Return the 95 % interval of the mean, resampling cases."""
    rng, n = np.random.default_rng(seed), len(differences)
    means = np.array([differences[rng.integers(0, n, n)].mean() for _ in range(samples)])
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))
