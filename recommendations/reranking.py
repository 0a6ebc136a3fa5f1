"""Stage 3: a cross-encoder orders the best candidates anew, within a time budget; off where no model can be loaded."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as OutOfTime
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from django.conf import settings as django_settings

from recommendations.contracts import Placement, Scored, Scores

logger = structlog.get_logger(__name__)

# The model's share in the final score; the rest is the blend of stage 2.
SHARE = 0.5
PAIRS = 20


class Reranker(Protocol):
    """Scores pairs of a context's text and a product's text, each in [0, 1]; None while it is off."""

    state: str

    def score(self, context: str, texts: Sequence[str]) -> Scores | None:
        """Return one score for each text, or None if there is no model or time ran out."""


class Off:
    """The null object for "no model": says why, and leaves every list as it is."""

    def __init__(self, reason: str) -> None:
        self.state = f"off: {reason}"

    def score(self, context: str, texts: Sequence[str]) -> Scores | None:
        """Return None, always."""
        return None


class CrossEncoderReranker:
    """A sentence-transformers `CrossEncoder` on a thread of its own, so that a slow answer can be given up on."""

    def __init__(self, path: str, *, budget_ms: int) -> None:
        from sentence_transformers import CrossEncoder

        self.state = f"on: {Path(path).name}"
        self._model = CrossEncoder(path, device="cpu", local_files_only=True)
        self._budget = budget_ms / 1000
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reranker")
        self._running: Future[Scores] | None = None
        self._lock = threading.Lock()
        self.out_of_time = 0

    def score(self, context: str, texts: Sequence[str]) -> Scores | None:
        """Return one score for each text; None where the budget is over, or the model still works on another list."""
        with self._lock:
            if self._running is not None and not self._running.done():
                self.out_of_time += 1
                return None
            self._running = self._thread.submit(self._predict, context, list(texts))
            running = self._running
        try:
            return running.result(timeout=self._budget)
        except OutOfTime:
            self.out_of_time += 1
            return None

    def _predict(self, context: str, texts: list[str]) -> Scores:
        raw = np.asarray(self._model.predict([(context, text) for text in texts]), np.float64)
        return raw if raw.min() >= 0 and raw.max() <= 1 else 1 / (1 + np.exp(-raw))


@lru_cache(maxsize=1)
def reranker() -> Reranker:
    """Return this process' reranker: the configured model if it lies on this machine, the off state otherwise."""
    name = django_settings.RERANKER_MODEL
    if not name:
        return Off("RERANKER_MODEL is empty")
    if not Path(name).is_dir() and not _is_cached(name):
        return Off(f"{name} is not on this machine")
    try:
        return CrossEncoderReranker(name, budget_ms=django_settings.REEMIO_RERANK_BUDGET_MS)
    except (OSError, ValueError, RuntimeError) as error:
        logger.warning("reranker_not_loaded", model=name, error=str(error))
        return Off(f"{name} could not be loaded")


def reranker_for(placement: Placement, *, switched_on: bool) -> Reranker:
    """Return the reranker where the version or `REEMIO_RERANK_PLACEMENTS` switches it on, else the off state."""
    if switched_on or placement in django_settings.REEMIO_RERANK_PLACEMENTS:
        return reranker()
    return Off("not switched on for this placement")


def rerank(ranked: Sequence[Scored], *, model: Reranker, context: str, texts: Sequence[str]) -> tuple[Scored, ...]:
    """Return `ranked` with its head in the model's order; unchanged if the model is off, late or there is no context.

    `texts` belong to the first `len(texts)` of `ranked`. score' = (1 − SHARE) × score + SHARE × rerank, over that head.
    """
    if not context or not texts:
        return tuple(ranked)
    scores = model.score(context, texts)
    if scores is None:
        return tuple(ranked)
    head = [
        replace(one, score=(1 - SHARE) * one.score + SHARE * float(score), rerank=float(score))
        for one, score in zip(ranked, scores, strict=False)
    ]
    # The tail keeps its place below the head: its scores are not comparable with reranked ones, so they are halved.
    tail = [replace(one, score=(1 - SHARE) * one.score) for one in ranked[len(head) :]]
    return tuple(sorted(head, key=lambda one: (-one.score, one.product)) + tail)


def _is_cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(name, "config.json"), str)
