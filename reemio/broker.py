"""Mends kombu's Redis transport (5.7): a task that ends while Redis is away must not end its worker.

The closing channel then wants to hand back what was not acknowledged, finds its own connection gone, and trips over a
missing attribute, which Celery takes for an unrecoverable error. Told that the connection is lost, it goes on; the task
is sent again.
"""

from typing import Any

from kombu.transport.redis import Channel
from redis.exceptions import ConnectionError as RedisConnectionError

_parameters = Channel._connparams  # type: ignore[attr-defined]  # the stubs know the public side only


def _parameters_or_lost(channel: Any, asynchronous: bool = False) -> Any:
    if channel.connection is None or channel.connection.client is None:
        raise RedisConnectionError("The channel's connection is closed.")
    return _parameters(channel, asynchronous)


def mend() -> None:
    """Let a closed channel say that its connection is lost; may be called again."""
    Channel._connparams = _parameters_or_lost  # type: ignore[attr-defined]  # the same
