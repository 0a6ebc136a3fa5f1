"""Remembers every served list without making its reader wait: a queue in memory, written in batches by one thread."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing.util import Finalize
from typing import Any

import structlog
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models.expressions import DatabaseDefault

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
        self._waiting: deque[ServedList] = deque()
        self._awake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def remember(self, served: ServedList) -> None:
        """Take one list. Returns at once; writes it itself where too many wait.

        The writer is woken once for each batch, not by each list: its reader keeps the processor.
        """
        self._ensure_thread()
        if len(self._waiting) >= MOST_WAITING:
            _write([served])
            return
        self._waiting.append(served)
        if not self._awake.is_set():
            self._awake.set()

    def close(self) -> None:
        """Write what waits and end the thread: on a clean shutdown, and in tests that read what was served."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._closing.set()
            self._awake.set()
        if thread is not None and thread.is_alive():
            thread.join(timeout=10)
        self._write_waiting()

    def _ensure_thread(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._closing = threading.Event()
                self._thread = threading.Thread(
                    target=self._run, args=(self._closing,), name="served-lists", daemon=True
                )
                self._thread.start()
                # Web workers are children of a supervisor and end without `atexit`; this runs in both kinds of process.
                Finalize(None, self.close, exitpriority=10)

    def _run(self, closing: threading.Event) -> None:
        try:
            while not closing.is_set():
                self._awake.wait()
                closing.wait(FLUSH_SECONDS)
                # Before the lists are taken: whoever adds one from now on wakes the thread again.
                self._awake.clear()
                self._write_waiting()
        finally:
            connection.close()

    def _write_waiting(self) -> None:
        while batch := [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]:
            self._write_with_patience(batch)

    def _write_with_patience(self, batch: Sequence[ServedList]) -> None:
        """Write, and try again while the database is away: the queue holds what comes meanwhile."""
        for attempt in range(60):
            try:
                _write(batch)
            except DataError:
                _write_singly(batch)
                return
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
    """Write a batch by COPY; one that is in the table already, in part or whole, by a statement that passes over it.

    That is so where the connection broke after the commit, before we heard of it.
    """
    columns = ", ".join(field.attname for field in ServedList._meta.concrete_fields)
    statement = f"COPY {ServedList._meta.db_table} ({columns}) FROM STDIN"
    try:
        with (
            transaction.atomic(),
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            cursor.copy(statement) as copy,
        ):
            for one in batch:
                copy.write_row(_row(one))
    except IntegrityError:
        ServedList.objects.bulk_create(batch, batch_size=BATCH, ignore_conflicts=True)


def _write_singly(batch: Sequence[ServedList]) -> None:
    """Write what can be written: a list that the database refuses must not cost the others."""
    for one in batch:
        try:
            _write([one])
        except DataError:
            logger.exception("served_list_refused", request_id=str(one.request_id))
            SERVED_LISTS_LOST.inc()


def _row(one: ServedList) -> list[Any]:
    values: list[Any] = [getattr(one, field.attname) for field in ServedList._meta.concrete_fields]
    # A default of the database's own is an expression of one value.
    return [vars(value)["expression"].value if isinstance(value, DatabaseDefault) else value for value in values]


recorder = Recorder()
