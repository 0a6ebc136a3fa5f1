"""The decayed sums behind a taste, and their algebra: adding events one by one equals counting all. No Django here.

Exponential decay composes: S(t) = S(t₀)·exp(−(t − t₀)/τ) + w·e. So sums may be kept at any moment, moved to another,
and added to each other; the order of events does not matter, late ones included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import numpy as np
import numpy.typing as npt

from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY

DIMENSIONS = 384


@dataclass(frozen=True, slots=True)
class Sums:
    """Σ weight × decay × embedding, Σ |weight| × decay, and Σ weight × decay by category path, decayed to `as_of`."""

    as_of: datetime
    vector: npt.NDArray[np.float64] | npt.NDArray[np.float32]
    weight: float
    categories: Mapping[str, float] = field(default_factory=dict)
    events: int = 0

    @classmethod
    def empty(cls, as_of: datetime) -> Self:
        """Return the sums of no event."""
        return cls(as_of, np.zeros(DIMENSIONS), 0.0)

    def moved_to(self, moment: datetime) -> "Sums":
        """Return the same sums decayed to another moment, earlier ones included."""
        factor = float(np.exp(-(moment - self.as_of).total_seconds() / SECONDS_PER_DAY / DECAY_DAYS))
        categories = {path: weight * factor for path, weight in self.categories.items()}
        return Sums(moment, self.vector * factor, self.weight * factor, categories, self.events)


def counted(
    *,
    weights: npt.NDArray[np.float64],
    moments: Sequence[datetime],
    vectors: npt.NDArray[np.float32],
    embedded: npt.NDArray[np.bool_],
    categories: Sequence[str],
    as_of: datetime,
) -> Sums:
    """Return the sums of n events: `weights`, `moments` and `categories` have n entries, `vectors` is n × 384.

    Where `embedded` is false the product has no embedding yet, and counts for its category only.
    """
    ages = np.array([(as_of - moment).total_seconds() for moment in moments]) / SECONDS_PER_DAY
    parts = weights * np.exp(-ages / DECAY_DAYS)
    spread: dict[str, float] = {}
    for category, part in zip(categories, parts.tolist(), strict=True):
        if category:
            spread[category] = spread.get(category, 0.0) + part
    kept = parts * embedded
    return Sums(as_of, kept @ vectors.astype(np.float64), float(np.abs(kept).sum()), spread, len(weights))


def added(left: Sums, right: Sums) -> Sums:
    """Return the sums of both, decayed to `left.as_of`."""
    right = right.moved_to(left.as_of)
    categories = dict(left.categories)
    for path, weight in right.categories.items():
        categories[path] = categories.get(path, 0.0) + weight
    return Sums(
        left.as_of,
        left.vector + right.vector,
        left.weight + right.weight,
        categories,
        left.events + right.events,
    )


def combined(parts: Sequence[Sums]) -> Sums | None:
    """Return the sums of all parts, decayed to the latest of their moments; None where no part counts an event.

    The moment is an event's, not the present: sums of a shop that slept for years would decay to nothing.
    """
    counting = [part for part in parts if part.events]
    if not counting:
        return None
    latest = max(counting, key=lambda part: part.as_of)
    total = latest
    for part in counting:
        if part is not latest:
            total = added(total, part)
    return total
