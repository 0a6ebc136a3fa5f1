"""Locks that outlast transactions: on a connection of their own, so that a pooler may stand between."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone(key: int, *, wait: bool = True) -> Iterator[bool]:
    """Hold the advisory lock `key` for the block, and yield whether it was to be had; with `wait` it always is.

    PostgreSQL frees it when the connection goes, however it goes. Behind a pooler a session is nobody's own: there an
    open transaction holds the lock, which keeps one of the pooler's connections busy.
    """
    own = connection.copy()
    try:
        own.set_autocommit(not own.settings_dict.get("POOLED"))
        form = f"pg_{'' if wait else 'try_'}advisory_{'' if own.get_autocommit() else 'xact_'}lock"
        with own.cursor() as cursor:
            cursor.execute(f"SELECT {form}(%s)", [key])  # one of our four words
            had = cursor.fetchone()[0]
        yield wait or bool(had)
    finally:
        own.close()
