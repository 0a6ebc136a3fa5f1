"""The engine's periodic work. Each task may run without arguments, at any time, twice, and side by side."""

import structlog
from celery import shared_task
from django.utils import timezone

from recommendations.background import run_command
from recommendations.engine_settings import recount_all_popularity
from recommendations.learning.drift import measure
from recommendations.learning.folding import BATCH, fold_fresh
from recommendations.learning.preferences import recount_rewritten
from recommendations.learning.train import train
from recommendations.models import Reranker

log = structlog.get_logger(__name__)

MOST_BATCHES = 200


@shared_task(name="recommendations.fold")
def fold() -> int:
    """Fold fresh events into tastes and popularity, recount whose past was rewritten; return how many events."""
    folded = 0
    for _ in range(MOST_BATCHES):
        count = fold_fresh()
        folded += count
        if count < BATCH:
            break
    recount_rewritten()
    return folded


@shared_task(name="recommendations.train_nightly")
def train_nightly() -> int:
    """Train a new version from everything up to now; return its number."""
    return int(train().pk)


@shared_task(name="recommendations.recount_popularity")
def recount_popularity() -> int:
    """Count popularity anew, after the event weights were changed; return how many products have any."""
    return recount_all_popularity()


@shared_task(name="recommendations.measure_drift")
def measure_drift() -> None:
    """Hold what is kept up event by event against a full count; log what was found, a warning where it is too much."""
    for one in measure(now=timezone.now()):
        say = log.info if one.passes else log.warning
        say(
            "drift_measured", what=one.what, compared=one.compared, mean=one.mean, largest=one.largest,
            tolerated=one.tolerance, passes=one.passes,
        )  # fmt: skip


@shared_task(name="recommendations.train_reranker")
def train_reranker(minutes: float = 20.0) -> int:
    """Train a cross-encoder behind everything else; where there is too little history, it says so and does nothing."""
    return run_command("train_reranker", "--verbosity", "0", "--minutes", str(minutes), seconds=_bound(minutes))


@shared_task(name="recommendations.score_pairs")
def score_pairs(minutes: float = 10.0) -> int:
    """Score pairs that are due: of new products, of changed texts, of candidates that a new version proposes."""
    if not Reranker.objects.filter(state=Reranker.State.ACTIVE).exists():
        return 0
    arguments = ("train_reranker", "--verbosity", "0", "--scores-only", "--minutes", str(minutes))
    return run_command(*arguments, seconds=_bound(minutes))


def _bound(minutes: float) -> float:
    """Return after how many seconds a run is ended; loading and its last chunk come on top of its budget."""
    return minutes * 120 + 300
