"""Stage 3: a cross-encoder orders the best candidates anew, within a time budget, where it was shown to help.

`stage_of` says how the stage stands for a query, `rerank` takes it. Scores that were computed beforehand come first, a
model in this process second; past the budget the order of stage 2 stands, and `reemio_rerank_total` counts it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache, partial
from pathlib import Path

from django.conf import settings as django_settings

from recommendations.configuration import fingerprint, from_json, overruled
from recommendations.contracts import Placement, PlacementSettings, ProductFacts, Query, Scored
from recommendations.metrics import RERANKED
from recommendations.reranking import stored
from recommendations.reranking.cross_encoder import CrossEncoder
from recommendations.reranking.live import LiveModel
from recommendations.reranking.registered import Registered, active_reranker
from recommendations.reranking.texts import RELATIONS, Pair, Relation
from recommendations.selectors import placement_overrides
from recommendations.shelf import shelf

# How many of the best are ordered anew.
HEAD = 50
# The share of a model that was named in RERANKER_MODEL: nothing was measured of it here.
NAMED_SHARE = 0.5
DEFAULT_MODEL = "cross-encoder/ms-marco-MiniLM-L-6-v2"

Facts = Callable[[int], ProductFacts]
Scorer = Callable[[Sequence[Pair]], Mapping[Pair, float] | None]


class Mode(StrEnum):
    """Whether the stage runs; in the shadow, its scores are told and the order is left alone."""

    OFF = "off"
    SHADOW = "shadow"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Stage:
    """How the stage stands: its mode and why, the model's share in the final score, and what scores pairs."""

    mode: Mode
    why: str
    share: float = 0.0
    scorer: Scorer = lambda pairs: None

    @property
    def state(self) -> str:
        """Return the mode and the reason, as answers and pages tell them."""
        return f"{self.mode}: {self.why}"


@dataclass(frozen=True, slots=True)
class Reranked:
    """What the stage made of the candidates, its state, and the model's share in their scores, 0 where it has none."""

    ranked: Sequence[Scored]
    state: str
    share: float = 0.0


def stage_of(query: Query, settings: PlacementSettings, facts: Facts) -> Stage:
    """Return how the stage stands for a query that these settings answer."""
    name = django_settings.RERANKER_MODEL
    if not name:
        return Stage(Mode.OFF, "RERANKER_MODEL is empty")
    trained = active_reranker() if name == DEFAULT_MODEL else None
    if trained is not None:
        return trained_stage(query, settings, facts, trained)
    if not settings.rerank and query.placement not in django_settings.REEMIO_RERANK_PLACEMENTS:
        return Stage(Mode.OFF, "not switched on for this placement")
    if (reason := unusable(name)) or (reason := named_model(name).failure):
        return Stage(Mode.OFF, f"{name} {reason}")
    relation = RELATIONS[query.placement]
    return Stage(Mode.ON, Path(name).name, NAMED_SHARE, partial(_within_budget, named_model(name), relation, facts))


def trained_stage(query: Query, settings: PlacementSettings, facts: Facts, trained: Registered) -> Stage:
    """Return the same for a cross-encoder that was trained here.

    It moves products only where it was shown to help, and only upon the stage 2 that it was measured with. It never
    answers for a moment before the end of what it learned from.
    """
    chosen = trained.placements.get(query.placement.value, {})
    title = f"reranker {trained.id}"
    if not chosen:
        return Stage(Mode.OFF, f"{title} was not measured on this placement")
    if query.as_of is not None and query.as_of < trained.as_of:
        return Stage(Mode.OFF, f"{title} learned from later events")
    relation = RELATIONS[query.placement]
    scorer = partial(_stored_first, trained, relation, facts)
    if not chosen["helps"]:
        # Only product pages have their scores at hand; elsewhere they would cost time and change nothing.
        if query.placement is Placement.PRODUCT:
            return Stage(Mode.SHADOW, f"{title} was not surely better here", 0.0, scorer)
        return Stage(Mode.OFF, f"{title} was not surely better here")
    if chosen["fingerprint"] != fingerprint(settings):
        return Stage(Mode.SHADOW, f"{title} was measured with other settings of this placement", 0.0, scorer)
    return Stage(Mode.ON, title, chosen["share"], scorer)


def rerank(scored: Sequence[Scored], *, stage: Stage, context: Sequence[int]) -> Reranked:
    """Return `scored` with its head in the stage's order; as they were where it is off, late or has no context.

    `context` holds the products that the list is about, the most telling one first.
    """
    if stage.mode is Mode.OFF:
        return Reranked(scored, stage.state)
    if not context or not scored:
        return Reranked(scored, f"{Mode.OFF}: nothing to go by")
    pairs = pairs_of(scored, context)
    found = stage.scorer(pairs)
    if found is None:
        return Reranked(scored, f"{Mode.OFF}: no score within {django_settings.REEMIO_RERANK_BUDGET_MS} ms")
    return Reranked(reordered(scored, [found[pair] for pair in pairs], share=stage.share), stage.state, stage.share)


def pairs_of(ranked: Sequence[Scored], context: Sequence[int]) -> list[Pair]:
    """Return what is asked of the model: each of the head with the product of the context that speaks loudest for it.

    Where none of them does, it is the first one. One pair a candidate: that is what a request can afford, and what
    stored scores, which belong to one product each, mostly hold.
    """
    named = frozenset(context)
    return [Pair(one.because if one.because in named else context[0], one.product) for one in ranked[:HEAD]]


def reordered(ranked: Sequence[Scored], scores: Sequence[float], *, share: float) -> tuple[Scored, ...]:
    """Return the candidates with `scores` at their head: score' = (1 − share) × score + share × rerank.

    The tail keeps its place below the head: its scores are not comparable with reranked ones, so they lose the share.
    """
    if not share:
        told = [replace(one, rerank=score) for one, score in zip(ranked, scores, strict=False)]
        return (*told, *ranked[len(told) :])
    head = [
        replace(one, score=(1 - share) * one.score + share * score, rerank=score)
        for one, score in zip(ranked, scores, strict=False)
    ]
    tail = [replace(one, score=(1 - share) * one.score) for one in ranked[len(head) :]]
    return (*sorted(head, key=lambda one: (-one.score, one.product)), *tail)


def warm_up() -> None:
    """Load the model that this process may need within requests, if there is one; /readyz does not wait for it."""
    name = django_settings.RERANKER_MODEL
    trained = active_reranker() if name == DEFAULT_MODEL else None
    if trained is not None:
        if any(one["helps"] for one in trained.placements.values()):
            trained_model(trained.id, str(trained.folder), trained.digest).warm_up()
    elif django_settings.REEMIO_RERANK_PLACEMENTS and not unusable(name):
        named_model(name).warm_up()


def standing() -> dict[str, str]:
    """Return how the stage stands for each placement, for pages that tell an operator."""
    settings = from_json(overruled(shelf.refresh().settings, placement_overrides()))
    return {one.value: stage_of(Query(one, limit=1), settings.of(one), shelf.facts).state for one in Placement}


@lru_cache(maxsize=2)
def named_model(name: str) -> LiveModel:
    """Return this process' model by its name or folder."""
    return LiveModel(partial(CrossEncoder, name))


@lru_cache(maxsize=2)
def trained_model(number: int, folder: str, digest: str) -> LiveModel:
    """Return this process' model that was trained here."""
    return LiveModel(partial(CrossEncoder, folder, digest=digest))


def unusable(name: str) -> str:
    """Say why a named model cannot be used here; nothing where it may be tried."""
    from huggingface_hub import try_to_load_from_cache

    if not name:
        return "is empty"
    here = Path(name).is_dir() or isinstance(try_to_load_from_cache(name, "config.json"), str)
    return "" if here else "is not on this machine"


def _stored_first(
    trained: Registered, relation: Relation, facts: Facts, pairs: Sequence[Pair]
) -> Mapping[Pair, float] | None:
    known = stored.scores_of(trained.id, relation, sorted({pair.context for pair in pairs}))
    missing = [pair for pair in pairs if pair not in known]
    if not missing:
        RERANKED.labels(relation.value, "stored").inc()
        return known
    more = _within_budget(trained_model(trained.id, str(trained.folder), trained.digest), relation, facts, missing)
    return None if more is None else {**known, **more}


def _within_budget(
    model: LiveModel, relation: Relation, facts: Facts, pairs: Sequence[Pair], *, seconds: float | None = None
) -> Mapping[Pair, float] | None:
    budget = django_settings.REEMIO_RERANK_BUDGET_MS / 1000 if seconds is None else seconds
    found = model.scores(pairs, relation, facts, seconds=budget)
    RERANKED.labels(relation.value, "late" if found is None else "model").inc()
    return found
