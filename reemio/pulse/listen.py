"""Celery's signals, listened to: each task that ends leaves its pulse."""

import time
from typing import Any

import structlog
from celery import signals
from django.db import DatabaseError

from reemio.pulse.record import record_run

log = structlog.get_logger(__name__)
_began: dict[str, float] = {}


@signals.task_prerun.connect
def _begins(task_id: str, **_: Any) -> None:
    _began[task_id] = time.perf_counter()


@signals.task_postrun.connect
def _ends(task_id: str, task: Any, state: str | None = None, retval: Any = None, **_: Any) -> None:
    seconds = time.perf_counter() - _began.pop(task_id, time.perf_counter())
    error = type(retval).__name__ if state == "FAILURE" else ""
    try:
        record_run(task=task.name, seconds=seconds, error=error)
    except DatabaseError as problem:
        # The work is done, or has failed, either way; only its count is missing.
        log.warning("task_pulse_lost", task=task.name, error=type(problem).__name__)
