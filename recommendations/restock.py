"""What a shopper is about to need again: bought before, and its usual interval has passed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from recommendations.contracts import Ids, Scores
from recommendations.decay import SECONDS_PER_DAY
from recommendations.history import Event

# A list reminds of at most so many products.
MOST_DUE = 2
# After this many intervals without it, the shopper has moved on.
GIVEN_UP = 3.0


@dataclass(frozen=True, slots=True)
class Restock:
    """`due` maps products whose time has come to their strength in (0, 1]; `waiting` are bought, and not due yet."""

    due: Mapping[int, float]
    waiting: frozenset[int]


NOTHING = Restock({}, frozenset())


def restock(events: Sequence[Event], usual: Mapping[int, float], *, now: datetime) -> Restock:
    """Return what of the purchases among `events` is due at `now`, the strongest two, and what is not due yet.

    `usual` holds the usual days between two purchases of products that are bought again and again; others are never
    due. A shopper's own interval counts as soon as there is one, shrunk towards the usual one as if that had been
    seen twice. Strength is interval / age: 1 when the time has just come.
    """
    dates: dict[int, list[float]] = {}
    for event in events:
        if event.kind == "purchase" and usual.get(event.product, 0.0) > 0:
            age = (now - event.occurred_at).total_seconds() / SECONDS_PER_DAY
            dates.setdefault(event.product, []).append(max(age, 0.0))
    due: dict[int, float] = {}
    waiting: set[int] = set()
    for product, ages in dates.items():
        interval, last = _interval(ages, usual[product]), min(ages)
        if last < interval:
            waiting.add(product)
        elif last <= GIVEN_UP * interval:
            due[product] = interval / max(last, 1e-9)
    best = sorted(due, key=lambda product: (-due[product], product))
    return Restock({product: due[product] for product in best[:MOST_DUE]}, frozenset(waiting))


def _interval(ages: Sequence[float], usual: float) -> float:
    """Return the shopper's own interval, shrunk: purchases within a day of each other are one."""
    apart = np.diff(np.sort(np.asarray(ages)))
    gaps = int((apart >= 1.0).sum())
    return (float(max(ages) - min(ages)) + 2 * usual) / (gaps + 2)


def as_arrays(due: Mapping[int, float]) -> tuple[Ids, Scores]:
    """Return products and strengths, by id."""
    products = np.array(sorted(due), np.int64)
    return products, np.array([due[product] for product in products.tolist()], np.float64)
