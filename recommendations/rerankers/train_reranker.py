"""`train_reranker`: from the shop's own pairs to a cross-encoder in use, where it was shown to help.

1. Hold the lock of training; clear away what killed runs left.
2. Split by time: what comes last is for judging, the rest for learning.
3. Train stage 2 as of the split, and learn what shoppers chose among what it and the shop showed.
4. Publish the weights under a name that tells their content.
5. Judge each placement on what came last.
6. Score pairs beforehand; then let it answer.

Killed at any line, the one before it goes on answering.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

from django.utils import timezone

from recommendations.contracts import Filters, Placement, Query
from recommendations.evaluation.choose import trained_as_of
from recommendations.evaluation.split import NothingToEvaluateError, Split, held_out_before
from recommendations.models import Reranker
from recommendations.pipeline import consider
from recommendations.popular import scores_of
from recommendations.rerankers import keeping
from recommendations.rerankers.fitting import Budget, Fitted, Material, fit
from recommendations.rerankers.judging import JUDGED, Limits, Scores, judge
from recommendations.rerankers.pair_scores import Scored, score_pairs
from recommendations.rerankers.pairs import Group, groups_before
from recommendations.reranking import Mode, Stage
from recommendations.reranking.cross_encoder import CrossEncoder
from recommendations.reranking.registered import folder_of
from recommendations.reranking.texts import Relation, question_of, text_of
from recommendations.shelf import ActiveVersion, shelf

# What is judged: about the last sixth of the purchases, and what else happened since.
HELD_OUT = 0.15
FEWEST_CHOICES = 300
MOST_CASES = 1000
MOST_JUDGED_PAIRS = 20_000
# Shares of the time: fitting up to the first, judging up to the second; what is left is for scoring pairs.
FITTING, JUDGING = 0.55, 0.8
PROPOSED, POPULAR = 50, 100
ASKED = {Relation.NEXT: Placement.PRODUCT, Relation.TOGETHER: Placement.CART}
# A small shop's products are all learned from; of a large one's, those with the most choices.
MOST_GROUPS = 20_000


class NothingToLearnError(Exception):
    """There is too little history to train a cross-encoder; the message says so to people."""


class Progress(Protocol):
    """Hears how far a run is."""

    def step(self, name: str, total: int | None = None) -> None:
        """A new step begins, of `total` ticks where that is known."""

    def tick(self) -> None:
        """One more of them is done."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be trained: as of when, in how many minutes, of how many pairs at most, and whether it may answer."""

    as_of: datetime | None = None
    minutes: float = 15.0
    pairs: int = 400_000
    seed: int = 0
    activate: bool = True


def train_reranker(plan: Plan, progress: Progress) -> Reranker:
    """Train, judge and publish a cross-encoder; return its row, active unless it helps nowhere where another one does.

    Raises `NothingToLearnError` where there is too little history, and `AlreadyTrainingError` where another run is on.
    """
    with keeping.only_one():
        keeping.prune()
        return _trained(plan, progress)


def score_due_pairs(*, minutes: float, progress: Progress) -> Scored | None:
    """Score the pairs that are due for the reranker in use; None where there is none, or its files are not here.

    Raises `AlreadyTrainingError` as above, and `RerankerError` where the model cannot be loaded.
    """
    with keeping.only_one():
        row = Reranker.objects.filter(state=Reranker.State.ACTIVE).first()
        if row is None:
            return None
        deadline = time.monotonic() + minutes * 60
        return _pairs_scored(row, _scores_of(row), deadline, progress)


def _trained(plan: Plan, progress: Progress) -> Reranker:
    began = time.monotonic()
    split, groups = _learnable(plan.as_of or timezone.now())
    row = Reranker.objects.create(as_of=split.as_of)
    try:
        version = trained_as_of(split.as_of, anew=False, progress=progress.step)
        stage_two = ActiveVersion(version.pk, version.settings)
        fitted = _fitted(row, split, groups, stage_two, plan, began, progress)
        scores = _scores_of(row)
        row.placements, row.evidence = _judged(split, stage_two, scores, plan, began, progress)
        row.figures = {"groups": len(groups), "choices": sum(one.choices for one in groups), **asdict(fitted)}
        row.save(update_fields=["placements", "evidence", "figures"])
        _pairs_scored(row, scores, began + plan.minutes * 60, progress)
    except BaseException as error:
        Reranker.objects.filter(pk=row.pk).update(state=Reranker.State.FAILED, message=repr(error))
        raise
    Reranker.objects.filter(pk=row.pk).update(state=Reranker.State.READY)
    if plan.activate and _may_answer(row):
        keeping.activate(row)
    keeping.prune()
    row.refresh_from_db()
    return row


def _learnable(as_of: datetime) -> tuple[Split, list[Group]]:
    try:
        split = held_out_before(as_of, HELD_OUT)
    except NothingToEvaluateError as error:
        raise NothingToLearnError(str(error)) from error
    groups = sorted(groups_before(split.as_of), key=lambda one: -one.choices)[:MOST_GROUPS]
    choices = sum(one.choices for one in groups)
    if choices < FEWEST_CHOICES:
        raise NothingToLearnError(
            f"There is too little to learn from: shoppers went on from one product to another {choices} times before"
            f" {split.as_of:%Y-%m-%d %H:%M}, and at least {FEWEST_CHOICES} are needed. Stage 2's order stands."
        )
    return split, groups


def _fitted(
    row: Reranker, split: Split, groups: Sequence[Group], version: ActiveVersion, plan: Plan, began: float,
    progress: Progress,
) -> Fitted:  # fmt: skip
    shelf.refresh()
    progress.step("candidates of stage 2", len(groups))
    material = _material(groups, split, version, progress.tick)
    seconds = max(plan.minutes * 60 * FITTING - (time.monotonic() - began), 1.0)
    progress.step("fine-tuning, percent", 100)
    done = 0

    def hear(used: float, loss: float) -> None:
        nonlocal done
        while done < int(used * 100):
            done += 1
            progress.tick()

    with keeping.unfinished_folder() as folder:
        fitted = fit(material, folder, budget=Budget(seconds, plan.pairs), seed=plan.seed, progress=hear)
        keeping.publish(row, folder)
    return fitted


def _material(groups: Sequence[Group], split: Split, version: ActiveVersion, tick: Callable[[], None]) -> Material:
    """Gather what lists are made of; only what may be shown today stands for "not chosen"."""
    proposed: dict[tuple[Relation, int], list[int]] = {}
    for one in groups:
        name = shelf.facts(one.product).product_id
        query = Query(ASKED[one.relation], limit=PROPOSED, anchors=(name,), as_of=split.as_of)
        scored = consider(query, version=version, stage=Stage(Mode.OFF, "training")).scored
        proposed[one.relation, one.product] = [candidate.product for candidate in scored[:PROPOSED]]
        tick()
    ids = shelf.ids[shelf.eligible(Filters())]
    liked = ids[scores_of(ids, as_of=split.as_of).argsort()[::-1][:POPULAR]]
    facts = shelf.facts
    return Material(
        groups=groups,
        proposed=proposed,
        popular=liked.tolist(),
        everything=ids.tolist() or [one.product for one in groups],
        question=lambda relation, product: question_of(facts(product), relation),
        answer=lambda product: text_of(facts(product)),
    )


def _judged(
    split: Split, version: ActiveVersion, scores: Scores, plan: Plan, began: float, progress: Progress
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the reranker may do on each placement, and the evidence for it."""
    placements: dict[str, Any] = {}
    evidence: dict[str, Any] = {"as_of": split.as_of.isoformat(), "seed": plan.seed}
    for place, placement in enumerate(JUDGED, start=1):
        progress.step(f"judging: {placement}")
        deadline = began + plan.minutes * 60 * (FITTING + (JUDGING - FITTING) * place / len(JUDGED))
        limits = Limits(MOST_CASES, MOST_JUDGED_PAIRS, deadline)
        verdict = judge(placement, split, version, scores, limits=limits, seed=plan.seed)
        placements[placement.value] = verdict.as_json()
        evidence[placement.value] = verdict.evidence
    return placements, evidence


def _pairs_scored(row: Reranker, scores: Scores, deadline: float, progress: Progress) -> Scored:
    progress.step("scoring pairs beforehand, products")
    done = score_pairs(row, scores, late=lambda: time.monotonic() > deadline, tick=progress.tick)
    row.figures = {
        **row.figures,
        "products_scored": done.products,
        "pairs_scored": done.pairs,
        "all_scored": done.finished,
    }
    row.save(update_fields=["figures"])
    return done


def _scores_of(row: Reranker) -> Scores:
    model = CrossEncoder(str(folder_of(row)), digest=row.digest)
    return lambda texts: model.scores(texts).tolist()


def _may_answer(row: Reranker) -> bool:
    """Tell whether `row` may take over: not where it helps nowhere, and the one in use does somewhere."""
    active = Reranker.objects.filter(state=Reranker.State.ACTIVE).first()
    return active is None or _helps(row) or not _helps(active)


def _helps(row: Reranker) -> bool:
    return any(chosen["helps"] for chosen in row.placements.values())
