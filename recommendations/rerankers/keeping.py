"""Trained cross-encoders as rows and folders: begun, published whole, put to use, and cleared away."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection, transaction
from django.utils import timezone

from recommendations.models import PairScores, Reranker
from recommendations.reranking import registered
from recommendations.reranking.cross_encoder import digest_of
from recommendations.reranking.registered import folder_of, models_dir
from reemio.database.alone import alone

KEPT = 2
# Held by whoever trains or scores: one at a time in a shop, however many machines.
TRAINING_LOCK = 0x5EE31003
ACTIVATION_LOCK = 0x5EE31004
State = Reranker.State


class AlreadyTrainingError(Exception):
    """Another process trains a cross-encoder or scores pairs."""


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the lock of training for the block. Raises `AlreadyTrainingError` where somebody else holds it.

    A killed process gives it back.
    """
    with alone(TRAINING_LOCK, wait=False) as had:
        if not had:
            raise AlreadyTrainingError("Another process is training a cross-encoder or scoring pairs.")
        yield


@contextmanager
def unfinished_folder() -> Iterator[Path]:
    """Yield a fresh folder for a training to write to, that nobody reads; what is left of it goes with the block."""
    models_dir().mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="unfinished-", dir=models_dir(), ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "model"


def publish(row: Reranker, written: Path) -> None:
    """Give a written folder its name, which tells its content; nobody reads it before its row is active."""
    row.digest = digest_of(written)
    final = folder_of(row)
    if not final.exists():
        written.rename(final)
    row.save(update_fields=["digest"])


def activate(row: Reranker) -> None:
    """Let `row` answer, in place of the one before it, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ACTIVATION_LOCK])
        Reranker.objects.filter(state=State.ACTIVE).exclude(pk=row.pk).update(state=State.RETIRED)
        Reranker.objects.filter(pk=row.pk).update(state=State.ACTIVE, activated_at=timezone.now())
    row.refresh_from_db()
    registered.forget()


def retire(row: Reranker) -> None:
    """Let `row` answer no more; stage 2's order stands from now on."""
    Reranker.objects.filter(pk=row.pk, state=State.ACTIVE).update(state=State.RETIRED)
    registered.forget()


def prune() -> int:
    """Delete all but the active and the latest few, with folders and scores; return how many went.

    The caller holds the lock of training, so what still says that it trains was killed.
    """
    Reranker.objects.filter(state=State.TRAINING).update(state=State.FAILED, message="The training was ended early.")
    done = Reranker.objects.exclude(state=State.ACTIVE)
    kept = list(done.exclude(state=State.FAILED).values_list("pk", flat=True)[:KEPT])
    kept += list(done.filter(state=State.FAILED).values_list("pk", flat=True)[:1])
    old = list(done.exclude(pk__in=kept))
    for row in old:
        with transaction.atomic():
            PairScores.objects.filter(reranker=row)._raw_delete("default")
            row.delete()
        if row.digest and not Reranker.objects.filter(digest=row.digest).exists():
            shutil.rmtree(folder_of(row), ignore_errors=True)
    return len(old)
