"""Tells the triggers of the audit trail who is at work: as a setting of the transaction that writes.

Not as one of the session, which a pooler may hand to somebody else. So the setting goes before each statement that
writes, and such a statement outside of a transaction gets one of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

WRITES = ("INSERT", "UPDATE", "DELETE", "WITH", "MERGE")
SAY_WHO = "SELECT set_config('reemio.actor', %s, true), set_config('reemio.request_id', %s, true)"


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Wraps each statement of a connection, in the way of `connection.execute_wrapper`."""

    actor: str
    request_id: str

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if not str(sql).lstrip(" \n(").upper().startswith(WRITES):
            return execute(sql, params, many, context)
        if context["connection"].in_atomic_block:
            self._say(context["connection"])
            return execute(sql, params, many, context)
        with transaction.atomic(using=context["connection"].alias):
            self._say(context["connection"])
            return execute(sql, params, many, context)

    def _say(self, database: Any) -> None:
        with database.cursor() as cursor:
            cursor.execute(SAY_WHO, [self.actor, self.request_id])


@contextmanager
def acting(actor: str, *, request_id: str = "") -> Iterator[None]:
    """Let whatever is written within the block be `actor`'s doing, a user's name."""
    with connection.execute_wrapper(_Stamp(actor, request_id)):
        yield
