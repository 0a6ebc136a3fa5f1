"""Fixtures that every test may use."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient


@pytest.fixture
def api() -> APIClient:
    """A client that sends JSON, as a shop's server does, and shows responses of errors instead of raising them."""
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    return client


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Begin each test with an empty cache: throttling counters and shared lists are not a test's to inherit."""
    cache.clear()
    yield
