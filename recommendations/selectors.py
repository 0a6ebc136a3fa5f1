"""Reads across the engine's own tables."""

import time
from collections.abc import Mapping

from recommendations.configuration import default_event_weights
from recommendations.models import EventWeight

KEEP_SECONDS = 5.0


class _Kept:
    weights: Mapping[str, float] = {}
    read_at = float("-inf")


def event_weights() -> Mapping[str, float]:
    """Return how much each kind of event counts: the brief's table, as far as the admin did not change it.

    Read at most every few seconds in each process.
    """
    if time.monotonic() - _Kept.read_at > KEEP_SECONDS:
        changed = dict(EventWeight.objects.values_list("interaction_type", "weight"))
        _Kept.weights = default_event_weights() | changed
        _Kept.read_at = time.monotonic()
    return _Kept.weights


def forget() -> None:
    """Read again at the next question."""
    _Kept.read_at = float("-inf")
