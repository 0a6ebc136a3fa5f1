"""Which private servers are wanted, where they answer, how to stop them. Many processes may call at once."""

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reemio.embedded import postgres, redis
from reemio.embedded.processes import EmbeddedServerError

URL_VARIABLES = {"POSTGRES_": "DATABASE_URL", "REDIS_": "REDIS_URL"}


def wanted(prefix: str) -> bool:
    """Tell whether nothing in the environment names a server of this kind (`POSTGRES_` or `REDIS_`)."""
    named = any(name.startswith(prefix) and value for name, value in os.environ.items())
    url = URL_VARIABLES[prefix]
    return not named and not os.environ.get(url) and not os.environ.get(f"{url}_FILE")


def postgres_url(state: Path) -> str:
    """Return the `DATABASE_URL` of the private PostgreSQL in `state`, starting it where it is not running."""
    claim(state)
    running = postgres.running_url(state / "postgres")
    if running is None:
        with _lock(state):
            running = postgres.ensure_running(state / "postgres")
    return running


def redis_url(state: Path) -> str:
    """Return the `REDIS_URL` of the private Redis in `state`, starting it where it is not running."""
    claim(state)
    running = redis.running_url(state / "redis")
    if running is None:
        with _lock(state):
            running = redis.ensure_running(state / "redis")
    return running


def running(state: Path) -> dict[str, str | None]:
    """Return the addresses of the private servers in `state` by name, None for one that is not running."""
    return {
        "PostgreSQL": postgres.running_url(state / "postgres"),
        "Redis": redis.running_url(state / "redis"),
    }


def stop_all(state: Path) -> list[str]:
    """Stop what runs in `state` and return the names of what was stopped."""
    if not state.exists():
        return []
    claim(state)
    with _lock(state):
        stopped = {"PostgreSQL": postgres.stop(state / "postgres"), "Redis": redis.stop(state / "redis")}
    return [name for name, did in stopped.items() if did]


@contextmanager
def _lock(state: Path) -> Iterator[None]:
    """Hold the folder's lock: two commands started together must not initialise one data directory twice."""
    with (state / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def claim(state: Path) -> None:
    """Make the folder, or make sure that it is ours: two users cannot share one server's files."""
    try:
        state.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise EmbeddedServerError(
            f"{state} cannot be made: {error.strerror}. Set REEMIO_STATE_DIR to a folder that you may write."
        ) from error
    owner = state.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedServerError(
            f"{state} belongs to {_name(owner)}, and you are {_name(os.geteuid())}. "
            f"Run this as {_name(owner)}, or set REEMIO_STATE_DIR to another folder."
        )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
