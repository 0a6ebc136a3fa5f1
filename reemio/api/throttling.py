"""Throttling per key, or per address where no key was sent; reads and writes have limits of their own."""

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from reemio.access.models import ApiKey


class PerCallerThrottle(SimpleRateThrottle):
    """A sliding window in the cache; with the cache away, nothing is throttled."""

    def __init__(self) -> None:
        """Leave the rate to the request: it differs between reads and writes."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Choose the rate, then count."""
        self.scope = "read" if request.method in SAFE_METHODS else "write"
        self.rate = settings.REEMIO_THROTTLE_READ if self.scope == "read" else settings.REEMIO_THROTTLE_WRITE
        self.num_requests, self.duration = self.parse_rate(self.rate)
        return super().allow_request(request, view)

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Count by key where there is one, by address otherwise."""
        caller = f"key-{request.auth.pk}" if isinstance(request.auth, ApiKey) else self.get_ident(request)
        return f"throttle-{self.scope}-{caller}"
