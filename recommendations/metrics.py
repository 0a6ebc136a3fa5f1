"""What the engine counts about itself; docs/metrics.md says what each is good for."""

import time

from prometheus_client import Counter, Histogram

# From a cached answer to one that a shopper would notice.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

LIST_SECONDS = Histogram(
    "reemio_list_seconds", "How long lists took to make.", ["placement", "strategy"], buckets=SECONDS
)
STAGES = ("read", "propose", "blend", "rerank", "rules")
STAGE_SECONDS = Histogram("reemio_stage_seconds", "How long each stage of a list took.", ["stage"], buckets=SECONDS)
_BY_STAGE = {stage: STAGE_SECONDS.labels(stage) for stage in STAGES}
LISTS_SHORT = Counter("reemio_lists_short", "Lists that came out shorter than was asked for.", ["placement"])
SERVED_LISTS_LOST = Counter("reemio_served_lists_lost", "Served lists that could not be written down.")
RERANKED = Counter(
    "reemio_rerank", "Lists that came to the reranking stage, by where their scores came from.", ["relation", "outcome"]
)


class Laps:
    """A stopwatch that tells each stage's part of one list."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at = time.perf_counter()

    def end(self, stage: str) -> None:
        """Note that a stage, one of `STAGES`, has just ended."""
        now = time.perf_counter()
        _BY_STAGE[stage].observe(now - self._at)
        self._at = now
