"""Reads across the engine's own tables."""

import time
from collections.abc import Mapping
from typing import Any

from recommendations.configuration import default_event_weights
from recommendations.models import EventWeight, PlacementOverride

KEEP_SECONDS = 5.0


class _Kept:
    weights: Mapping[str, float] = {}
    read_at = float("-inf")
    overrides: Mapping[str, Mapping[str, Any]] = {}
    overrides_read_at = float("-inf")


def event_weights() -> Mapping[str, float]:
    """Return how much each kind of event counts: the brief's table, as far as the admin did not change it.

    Read at most every few seconds in each process.
    """
    if time.monotonic() - _Kept.read_at > KEEP_SECONDS:
        changed = dict(EventWeight.objects.values_list("interaction_type", "weight"))
        _Kept.weights = default_event_weights() | changed
        _Kept.read_at = time.monotonic()
    return _Kept.weights


def settled_event_weights() -> Mapping[str, float]:
    """Return the event weights as they are stored at this moment: for what is kept longer than a few seconds.

    Ask under the lock of learning (`forward_decay.LOCK`), which whoever changes the weights holds alone.
    """
    forget()
    return event_weights()


def placement_overrides() -> Mapping[str, Mapping[str, Any]]:
    """Return what the admin decided about placements. Read at most every few seconds in each process."""
    if time.monotonic() - _Kept.overrides_read_at > KEEP_SECONDS:
        _Kept.overrides = dict(PlacementOverride.objects.values_list("placement", "settings"))
        _Kept.overrides_read_at = time.monotonic()
    return _Kept.overrides


def forget() -> None:
    """Read again at the next question."""
    _Kept.read_at = _Kept.overrides_read_at = float("-inf")
