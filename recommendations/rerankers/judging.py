"""Where a cross-encoder helps: shares of the final score tried on held-out cases, case by case against stage 2."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recommendations import reranking
from recommendations.configuration import fingerprint, from_json
from recommendations.contracts import Placement, ProductFacts
from recommendations.evaluation.cases import Case, Task, cases_of
from recommendations.evaluation.intervals import FEW_CASES, Interval, intervals
from recommendations.evaluation.metrics import METRICS, Surprise, Values, measured, padded
from recommendations.evaluation.split import Split
from recommendations.pipeline import Considered, applied, consider
from recommendations.reranking import Mode, Stage, pairs_of
from recommendations.reranking.texts import RELATIONS, Pair, Relation, question_of, text_of
from recommendations.shelf import ActiveVersion, shelf

K = 10
NDCG = METRICS.index("ndcg")
SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)
FOLDS = 5
CHUNK = 50
# The homepage is judged by what is new to the shopper: repeats are no question of texts.
JUDGED = {
    Placement.PRODUCT: Task.PRODUCT,
    Placement.CART: Task.CART,
    Placement.BOUGHT_TOGETHER: Task.BOUGHT_TOGETHER,
    Placement.HOMEPAGE: Task.HOMEPAGE_NEW,
}
Scores = Callable[[Sequence[tuple[str, str]]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is measured on a placement: cases, pairs, and the moment (of the monotonic clock) when time is over."""

    cases: int
    pairs: int
    deadline: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found on a placement: whether it surely helps, with which share, upon which stage 2, and why."""

    helps: bool
    share: float
    fingerprint: str
    evidence: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the form in which a reranker's row keeps it."""
        return {"helps": self.helps, "share": self.share, "fingerprint": self.fingerprint}


def judge(
    placement: Placement, split: Split, version: ActiveVersion, scores: Scores, *, limits: Limits, seed: int
) -> Verdict:
    """Measure a cross-encoder on what happened after the split.

    The share is chosen on four fifths of the cases and measured on the fifth, in turn; it helps where the mean gain in
    NDCG@10 so measured has a 95 % bootstrap interval above 0.
    """
    task = JUDGED[placement]
    considered: list[tuple[Case, Considered]] = []
    known: dict[Pair, float] = {}
    cases = cases_of(task, split, most=limits.cases, seed=seed).drawn
    off = Stage(Mode.OFF, "being judged")
    for start in range(0, len(cases), CHUNK):
        if considered and (time.monotonic() > limits.deadline or len(known) > limits.pairs):
            break
        chunk = cases[start : start + CHUNK]
        found = [(one, consider(replace(one.query, limit=K), version=version, stage=off)) for one in chunk]
        wanted = dict.fromkeys(pair for _, one in found for pair in _pairs(one) if pair not in known)
        known |= scored_pairs(list(wanted), RELATIONS[placement], scores)
        considered += found
    gains, before = _gains(considered, known)
    return _verdict(task, before, gains, fingerprint(from_json(version.settings).of(placement)), seed)


def scored_pairs(pairs: Sequence[Pair], relation: Relation, scores: Scores) -> dict[Pair, float]:
    """Return the model's score of each pair."""
    facts: Callable[[int], ProductFacts] = shelf.facts
    texts = [(question_of(facts(one.context), relation), text_of(facts(one.candidate))) for one in pairs]
    return dict(zip(pairs, scores(texts), strict=True))


def _pairs(one: Considered) -> list[Pair]:
    return pairs_of(one.scored, one.asked_about) if one.asked_about else []


def _gains(considered: Sequence[tuple[Case, Considered]], known: Mapping[Pair, float]) -> tuple[Values, Values]:
    """Return each case's gain in NDCG@10 by share (cases × shares), and its NDCG@10 in stage 2's order."""
    targets = [case.targets for case, _ in considered]
    surprise = Surprise(np.zeros(0, np.int64), np.zeros(0, np.int64))

    def ndcg(share: float) -> Values:
        lists = [[item.product for item in _shown(one, known, share)] for _, one in considered]
        return measured(padded(lists, K), targets, surprise)[:, NDCG]

    before = ndcg(0.0)
    gains = np.column_stack([ndcg(share) - before for share in SHARES])
    return gains, before


def _shown(one: Considered, known: Mapping[Pair, float], share: float) -> Sequence[Any]:
    stage = Stage(Mode.ON, "measured", share, lambda pairs: known)
    ranked = reranking.rerank(one.scored, stage=stage, context=one.asked_about).ranked
    return applied(one, ranked)


def _verdict(task: Task, before: Values, gains: Values, mark: str, seed: int) -> Verdict:
    held = _held_out(gains)
    (gain,) = intervals(held[:, None], seed=seed) if len(held) else [Interval(0.0, 0.0, 0.0)]
    means = gains.mean(axis=0) if len(gains) else np.zeros(len(SHARES))
    best = int(means.argmax())
    helps = len(held) >= FEW_CASES and gain.low > 0
    evidence = {
        "task": task.value,
        "cases": len(held),
        "ndcg": round(float(before.mean()) if len(before) else 0.0, 5),
        "gain": gain.as_json(),
        "gain_by_share": {str(share): round(float(mean), 5) for share, mean in zip(SHARES, means, strict=True)},
        "says": _in_words(helps, len(held), gain),
    }
    return Verdict(helps, SHARES[best] if helps else 0.0, mark, evidence)


def _held_out(gains: Values) -> Values:
    """Return each case's gain with the share that was best on the other folds; 0 where none was better than none."""
    fold = np.arange(len(gains)) % FOLDS
    found = np.zeros(len(gains))
    for one in range(FOLDS):
        others = gains[fold != one]
        if len(others) == 0:
            continue
        means = others.mean(axis=0)
        if means.max() > 0:
            found[fold == one] = gains[fold == one, int(means.argmax())]
    return found


def _in_words(helps: bool, cases: int, gain: Interval) -> str:
    if cases < FEW_CASES:
        return f"{cases} cases are too few to conclude from."
    span = f"{gain.mean:+.4f} NDCG@10, 95 % interval {gain.low:+.4f} to {gain.high:+.4f}, {cases} cases"
    return f"It helps: {span}." if helps else f"It does not surely help: {span}."
