"""Writes down how a task ended: one upsert, whatever runs beside it."""

from django.db import connection

_UPSERT = """
INSERT INTO pulse_taskpulse AS pulse
    (task, runs, failures, seconds, last_ended_at, last_succeeded_at, last_seconds, last_error)
VALUES (%(task)s, 1, %(failed)s, %(seconds)s, now(), CASE WHEN %(failed)s = 0 THEN now() END, %(seconds)s, %(error)s)
ON CONFLICT (task) DO UPDATE SET
    runs = pulse.runs + 1,
    failures = pulse.failures + EXCLUDED.failures,
    seconds = pulse.seconds + EXCLUDED.seconds,
    last_ended_at = now(),
    last_succeeded_at = coalesce(EXCLUDED.last_succeeded_at, pulse.last_succeeded_at),
    last_seconds = EXCLUDED.last_seconds,
    last_error = CASE WHEN EXCLUDED.failures = 1 THEN EXCLUDED.last_error ELSE pulse.last_error END
"""


def record_run(*, task: str, seconds: float, error: str = "") -> None:
    """Count one run of `task`, which took `seconds` and, where `error` names its kind, failed."""
    row: dict[str, str | float] = {"task": task, "failed": int(bool(error)), "seconds": seconds, "error": error[:200]}
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, row)
