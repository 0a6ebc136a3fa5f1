"""Remembers every served list without making its reader wait: a queue in memory, written in batches by one thread."""

import queue
import threading
import time
from collections.abc import Sequence
from multiprocessing.util import Finalize

import structlog
from django.db import DatabaseError, connection

from recommendations.metrics import SERVED_LISTS_LOST
from recommendations.models import ServedList

logger = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.25
BATCH = 500
# At this many unwritten lists the reader writes its own: memory stays bounded when the database is slow.
MOST_WAITING = 20_000
RETRY_SECONDS = 1.0


class Recorder:
    """Queues lists and writes them behind the reader's back; `close` writes what is left."""

    def __init__(self) -> None:
        self._queue: queue.Queue[ServedList | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def remember(self, served: ServedList) -> None:
        """Take one list. Returns at once; writes it itself where the queue is full."""
        self._ensure_thread()
        try:
            self._queue.put_nowait(served)
        except queue.Full:
            _write([served])

    def close(self) -> None:
        """Write what is queued and end the thread: on a clean shutdown, and in tests that read what was served."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive():
            self._queue.put(None)
            thread.join(timeout=10)

    def _ensure_thread(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="served-lists", daemon=True)
                self._thread.start()
                # Web workers are children of a supervisor and end without `atexit`; this runs in both kinds of process.
                Finalize(None, self.close, exitpriority=10)

    def _run(self) -> None:
        try:
            while True:
                batch, ended = self._next_batch()
                if batch:
                    self._write_with_patience(batch)
                if ended:
                    return
        finally:
            connection.close()

    def _next_batch(self) -> tuple[list[ServedList], bool]:
        """Wait for a list, then gather what comes within the flush interval."""
        first = self._queue.get()
        if first is None:
            return [], True
        batch, deadline = [first], time.monotonic() + FLUSH_SECONDS
        while len(batch) < BATCH:
            try:
                more = self._queue.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                return batch, False
            if more is None:
                return batch, True
            batch.append(more)
        return batch, False

    def _write_with_patience(self, batch: Sequence[ServedList]) -> None:
        """Write, and try again while the database is away: the queue holds what comes meanwhile."""
        for attempt in range(60):
            try:
                _write(batch)
            except DatabaseError as error:
                logger.warning(
                    "served_lists_not_written", count=len(batch), attempt=attempt, error=type(error).__name__
                )
                connection.close()
                time.sleep(RETRY_SECONDS)
            else:
                return
        logger.error("served_lists_lost", count=len(batch))
        SERVED_LISTS_LOST.inc(len(batch))


def _write(batch: Sequence[ServedList]) -> None:
    ServedList.objects.bulk_create(batch, batch_size=BATCH, ignore_conflicts=True)


recorder = Recorder()
