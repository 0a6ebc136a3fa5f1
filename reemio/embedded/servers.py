"""Which private servers are wanted, where they answer, and how to stop them. Safe to call from many processes at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reemio.embedded import postgres, redis

URL_VARIABLES = {"POSTGRES_": "DATABASE_URL", "REDIS_": "REDIS_URL"}


def wanted(prefix: str) -> bool:
    """Tell whether nothing in the environment names a server of this kind (`POSTGRES_` or `REDIS_`)."""
    named = any(name.startswith(prefix) and value for name, value in os.environ.items())
    return not named and not os.environ.get(URL_VARIABLES[prefix])


def postgres_url(state: Path) -> str:
    """Return the `DATABASE_URL` of the private PostgreSQL in `state`, starting it where it is not running."""
    with _lock(state):
        return postgres.ensure_running(state / "postgres")


def redis_url(state: Path) -> str:
    """Return the `REDIS_URL` of the private Redis in `state`, starting it where it is not running."""
    with _lock(state):
        return redis.ensure_running(state / "redis")


def stop_all(state: Path) -> list[str]:
    """Stop what runs in `state` and return the names of what was stopped."""
    if not state.exists():
        return []
    with _lock(state):
        stopped = {"PostgreSQL": postgres.stop(state / "postgres"), "Redis": redis.stop(state / "redis")}
    return [name for name, did in stopped.items() if did]


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Hold the folder's lock: two commands started together must not initialise one data directory twice."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
