"""A cross-encoder at work within a request: on a thread of its own, so that a slow answer can be given up on."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as OutOfTime

import structlog

from recommendations.contracts import ProductFacts
from recommendations.reranking.cross_encoder import CrossEncoder, RerankerError
from recommendations.reranking.texts import Pair, Relation, question_of, text_of

logger = structlog.get_logger(__name__)

MOST_KEPT = 50_000
Facts = Callable[[int], ProductFacts]
Texts = tuple[str, str]


class LiveModel:
    """Loads its model on first use, in the background, and keeps what it has scored, by the texts themselves."""

    def __init__(self, load: Callable[[], CrossEncoder]) -> None:
        """Take what loads the model; nothing is loaded yet."""
        self._load = load
        self._model: CrossEncoder | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reranker")
        self._running: Future[None] | None = None
        self._lock = threading.Lock()
        self._kept: dict[Texts, float] = {}
        self.failure = ""

    @property
    def is_loaded(self) -> bool:
        """Tell whether the model is in memory."""
        return self._model is not None

    def warm_up(self) -> None:
        """Load the model now, and run it once. Sets `failure` where it cannot be had."""
        if self._model is not None or self.failure:
            return
        try:
            model = self._load()
            model.scores([("warm up", "warm up")])
        except RerankerError as error:
            self.failure = str(error)
            logger.warning("reranker_not_loaded", error=str(error))
        else:
            self._model = model

    def wait(self) -> None:
        """Wait for what is being scored behind a request."""
        if self._running is not None:
            self._running.result()

    def scores(
        self, pairs: Sequence[Pair], relation: Relation, facts: Facts, *, seconds: float
    ) -> Mapping[Pair, float] | None:
        """Return the score of each pair, or None where that takes longer than `seconds` or there is no model.

        What takes longer goes on behind the request: the next one that asks for these pairs finds them.
        """
        texts = {pair: (question_of(facts(pair.context), relation), text_of(facts(pair.candidate))) for pair in pairs}
        missing = [one for one in texts.values() if one not in self._kept]
        if missing and not self._worked(missing, seconds):
            return None
        kept = self._kept
        return {pair: kept[one] for pair, one in texts.items()} if all(one in kept for one in texts.values()) else None

    def _worked(self, missing: list[Texts], seconds: float) -> bool:
        """Score what is missing; tell whether that was done in time. One list is worked on at a time."""
        with self._lock:
            if self.failure or (self._running is not None and not self._running.done()):
                return False
            self._running = running = self._thread.submit(self._work, missing)
        try:
            running.result(timeout=seconds)
        except OutOfTime:
            return False
        return not self.failure

    def _work(self, missing: list[Texts]) -> None:
        self.warm_up()
        if self._model is None:
            return
        scores = self._model.scores(missing)
        if len(self._kept) + len(missing) > MOST_KEPT:
            self._kept = {}
        self._kept.update(zip(missing, scores.tolist(), strict=True))
