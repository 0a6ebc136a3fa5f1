"""Where figures are read from: the primary, or for the dashboard a replica (`ANALYTICS_DATABASE_URL`)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections
from django.db.models import Model

logger = structlog.get_logger(__name__)

REPLICA = "analytics"
# The engine keeps what it reads for later requests, which must not get a replica's past.
FIGURES = {"analytics", "campaigns", "catalog", "interactions"}
# Replayed to the end means up to date, however long ago the last transaction was.
LAG = """
    SELECT pg_is_in_recovery(), CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM
            clock_timestamp() - coalesce(pg_last_xact_replay_timestamp(), pg_postmaster_start_time()))::float8 END
"""
T = TypeVar("T")
_alias: ContextVar[str] = ContextVar("reading", default=DEFAULT_DB_ALIAS)


class Router:
    """Django's router: reads of figures go where the context says, everything else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return the database to read a model from."""
        return _alias.get() if model._meta.app_label in FIGURES else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return the primary."""
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        """Allow all: both databases hold the same rows."""
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Migrate the primary only; the replica follows."""
        return db == DEFAULT_DB_ALIAS


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a page was read from: the replica and how many seconds it was behind (None: it cannot tell), or not."""

    from_replica: bool
    seconds: float | None = None


def reading_connection() -> Any:
    """Return Django's connection for statements that read figures."""
    return connections[_alias.get()]


def preferring_replica(read: Callable[[], T]) -> T:
    """Return what `read` returns, read from the replica where there is one; from the primary while it is away."""
    if REPLICA not in connections:
        return read()
    try:
        with _from(REPLICA):
            return read()
    except (OperationalError, InterfaceError) as error:
        if connections[REPLICA].is_usable():
            raise
        connections[REPLICA].close()
        logger.warning("replica_away", error=type(error).__name__)
        return read()


def kept_reading(lines: Iterable[T]) -> Iterator[T]:
    """Yield lines that are read as they are asked for, each from where they are read now."""
    chosen, source = _alias.get(), iter(lines)
    while True:
        with _from(chosen):
            try:
                line = next(source)
            except StopIteration:
                return
        yield line


def standing() -> Standing | None:
    """Return where figures are read from at this moment; None where no replica is configured."""
    if REPLICA not in connections:
        return None
    if _alias.get() != REPLICA:
        return Standing(from_replica=False)
    with connections[REPLICA].cursor() as cursor:
        cursor.execute(LAG)
        recovers, behind = cursor.fetchone()
    return Standing(from_replica=True, seconds=behind if recovers else None)


@contextmanager
def _from(alias: str) -> Iterator[None]:
    token = _alias.set(alias)
    try:
        yield
    finally:
        _alias.reset(token)
