"""The taste of whoever asks: what was folded before, plus every event since. Reads only."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from recommendations.configuration import OWNED_DAYS
from recommendations.contracts import RecentProduct, Taste
from recommendations.decay import DECAY_DAYS, decay
from recommendations.history import Event
from recommendations.person import Person
from recommendations.shelf import shelf
from recommendations.sums import DIMENSIONS, Sums, combined, counted
from recommendations.vectors import vectors

STRONGEST_RECENT = 30
# A visit ends after half an hour without a click, as web analytics count it.
VISIT = timedelta(minutes=30)
LATEST_OF_VISIT = 3
NOTHING = Taste()


def of(person: Person, *, now: datetime, event_weights: Mapping[str, float]) -> Taste:
    """Return the taste of whoever asks.

    The stored sums are taken and only events that are not in them yet are added, so that the next request reflects an
    event at once. With an *as-of*, or after a person's past was rewritten, the sums are recounted from their latest
    events instead.
    """
    if not person.events and not person.stored:
        return NOTHING
    events = person.events
    to_add = [event for event in events if event.fresh or person.rewritten]
    sums = combined([*person.stored, sums_of(to_add, event_weights)] if to_add else person.stored)
    liked = _liked(events, event_weights, now)
    return Taste(
        vector=_unit(sums),
        recent=liked[:STRONGEST_RECENT],
        visit=_of_this_visit(liked, now),
        owned=frozenset(event.product for event in events if event.kind == "purchase" and _owned(event, now)),
        categories=_by_weight(sums.categories) if sums else {},
        known_user=any(event.user for event in events),
    )


def sums_of(events: Sequence[Event], event_weights: Mapping[str, float]) -> Sums:
    """Return the sums of these events, decayed to the latest of them."""
    weighted = [event for event in events if event.kind in event_weights]
    if not weighted:
        return Sums.empty(datetime.min.replace(tzinfo=UTC))
    found = vectors.of({event.product for event in weighted})
    nothing = np.zeros(DIMENSIONS, dtype=np.float32)
    return counted(
        weights=np.array([event_weights[event.kind] for event in weighted]),
        moments=[event.occurred_at for event in weighted],
        vectors=np.stack([found.get(event.product, nothing) for event in weighted]),
        embedded=np.array([event.product in found for event in weighted]),
        categories=[shelf.facts(event.product).category for event in weighted],
        as_of=max(event.occurred_at for event in weighted),
    )


def parse_vector(text: str) -> npt.NDArray[np.float32]:
    """Return pgvector's text form `[1,2,…]` as an array."""
    return np.fromstring(text[1:-1], dtype=np.float32, sep=",")


def format_vector(vector: npt.NDArray[np.floating]) -> str:
    """Return an array in pgvector's text form."""
    return "[" + ",".join(map(repr, vector.tolist())) + "]"


def _unit(sums: Sums | None) -> npt.NDArray[np.float32] | None:
    """Return the mean embedding at unit length, or None where nothing counts, or likes and dislikes cancel out."""
    if sums is None:
        return None
    length = math.sqrt(float(np.dot(sums.vector, sums.vector)))
    if length <= 1e-6 * sums.weight:
        return None
    return (sums.vector / length).astype(np.float32)


def _by_weight(categories: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(categories.items(), key=lambda pair: (-pair[1], pair[0])))


def _of_this_visit(liked: Sequence[RecentProduct], now: datetime) -> tuple[RecentProduct, ...]:
    """Return what was dealt with in this visit, the latest first; an event dated ahead counts as now."""
    visit = [recent for recent in liked if now - recent.occurred_at <= VISIT]
    visit.sort(key=lambda recent: (recent.occurred_at, recent.product), reverse=True)
    return tuple(visit[:LATEST_OF_VISIT])


def _liked(events: Sequence[Event], event_weights: Mapping[str, float], now: datetime) -> tuple[RecentProduct, ...]:
    """Return each product once with its summed decayed weight, strongest first; disliked ones are left out."""
    weights: dict[int, float] = {}
    kinds: dict[int, Event] = {}
    latest: dict[int, datetime] = {}
    for event in events:
        weight = event_weights.get(event.kind, 0.0)
        part = weight * decay(event.occurred_at, now, days=DECAY_DAYS)
        weights[event.product] = weights.get(event.product, 0.0) + part
        latest[event.product] = max(event.occurred_at, latest.get(event.product, event.occurred_at))
        best = kinds.get(event.product)
        if best is None or weight > event_weights.get(best.kind, 0.0):
            kinds[event.product] = event
    liked = [
        RecentProduct(product, kinds[product].kind, latest[product], weight)
        for product, weight in weights.items()
        if weight > 0
    ]
    liked.sort(key=lambda recent: (-recent.weight, recent.product))
    return tuple(liked)


def _owned(event: Event, now: datetime) -> bool:
    return (now - event.occurred_at).days < OWNED_DAYS
