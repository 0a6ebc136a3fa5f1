"""Throttling per secret key, else per address; reads and writes have limits of their own."""

import hashlib
import time
from functools import cache
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from reemio.access.models import ApiKey
from reemio.access.permissions import has_secret_key

if TYPE_CHECKING:
    # DRF imports this module while it sets up its own views.
    from rest_framework.views import APIView

log = structlog.get_logger(__name__)
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class PerCallerThrottle(BaseThrottle):
    """A counter per caller and window of time, in Redis; with Redis away, nothing is throttled.

    One number and one round trip per request: DRF's own list of times would be rewritten whole with each.
    """

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count this request, and say whether it is within the rate."""
        scope = "read" if request.method in SAFE_METHODS else "write"
        limit, seconds = parse_rate(
            settings.REEMIO_THROTTLE_READ if scope == "read" else settings.REEMIO_THROTTLE_WRITE
        )
        window, passed = divmod(time.time(), seconds)
        self._wait = seconds - passed
        return _count(f"reemio:throttle:{scope}:{self._caller(request)}:{int(window)}", seconds) <= limit

    def wait(self) -> float:
        """Return the seconds until the next window begins, for `Retry-After`."""
        return self._wait

    def _caller(self, request: Request) -> str:
        if has_secret_key(request):
            return f"key-{request.auth.pk}"
        # An address is personal data: only its digest leaves this process.
        address = hashlib.blake2b(
            (self.get_ident(request) or "local").encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=12
        ).hexdigest()
        # All of a shop's visitors share its publishable key: each is a caller of their own.
        return f"key-{request.auth.pk}-{address}" if isinstance(request.auth, ApiKey) else address


@cache
def parse_rate(rate: str) -> tuple[int, int]:
    """Return how many requests within how many seconds `"6000/min"` allows; ValueError where it is no rate."""
    number, _, period = rate.partition("/")
    if not period or period[0] not in SECONDS or int(number) < 1:
        raise ValueError(f"{rate!r} is not a rate like 6000/min")
    return int(number), SECONDS[period[0]]


def _count(key: str, seconds: int) -> int:
    """Return how often `key` has been counted in its window, this time included; 0 where Redis is away."""
    try:
        with get_redis_connection("default").pipeline(transaction=False) as pipeline:
            count, _ = pipeline.incr(key).expire(key, seconds).execute()
    except RedisError as error:
        log.warning("throttle_without_redis", error=type(error).__name__)
        return 0
    return int(count)
