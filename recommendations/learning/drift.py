"""How far what is kept up event by event has come away from a full count: popularity, tastes, neighbours' counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from django.db import connection, transaction

from recommendations import neighbours
from recommendations.contracts import NeighbourRow
from recommendations.forward_decay import stored_and_recounted
from recommendations.learning.events import Events
from recommendations.learning.folding import read_tastes
from recommendations.learning.matrices import interest_matrix, order_matrix
from recommendations.learning.neighbours import binary
from recommendations.learning.preferences import recounted
from recommendations.learning.reading import read_events
from recommendations.models import ModelVersion, NeighbourList
from recommendations.selectors import event_weights
from recommendations.shelf import shelf

Floats = npt.NDArray[np.float64]
# Sums of floats differ by their order only; tastes are kept with 32 bits a number; counts are bounded work an event.
POPULARITY, TASTES, COUNTS = 1e-6, 1e-4, 0.05
SOME_SUBJECTS = """
    SELECT subject FROM tastes t WHERE NOT EXISTS (SELECT FROM rewritten_histories r WHERE r.subject = t.subject)
    ORDER BY hashtextextended(subject, %s) LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Drift:
    """Relative deviations of one kind: how many numbers were compared, their mean and largest, and what is tolerated.

    The largest is held against the tolerance, or, where single counts are small, the mean.
    """

    what: str
    compared: int
    mean: float
    largest: float
    tolerance: float
    by_mean: bool = False

    @property
    def passes(self) -> bool:
        """Tell whether the deviation is tolerated."""
        return (self.mean if self.by_mean else self.largest) <= self.tolerance


def measure(*, now: datetime, sample: int = 300, seed: int = 0, tolerance: float = COUNTS) -> Iterator[Drift]:
    """Yield the drift of popularity, of a sample of tastes, and of the neighbours of a sample of products.

    All in one snapshot: folding goes on meanwhile. Events that wait to be folded are counted on neither side.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        shelf.refresh()
        yield _drift("popularity", *stored_and_recounted(event_weights()), POPULARITY)
        yield _tastes(cursor, sample, seed)
        yield from _counts(now, sample, seed, tolerance)


def deviations(kept: Floats, full: Floats) -> Floats:
    """Return |kept − full| / the larger of both; 0 where both are nothing beside the largest number."""
    size = np.maximum(np.abs(kept), np.abs(full))
    nothing = size <= 1e-9 * size.max(initial=0.0)
    return np.where(nothing, 0.0, np.abs(kept - full) / np.where(nothing, 1.0, size))


def _drift(what: str, kept: Floats, full: Floats, tolerance: float, *, by_mean: bool = False) -> Drift:
    found = deviations(kept, full)
    return Drift(
        what, len(found), float(found.mean()) if len(found) else 0.0, float(found.max(initial=0.0)), tolerance, by_mean
    )


def _tastes(cursor: Any, sample: int, seed: int) -> Drift:
    cursor.execute(SOME_SUBJECTS, [seed, sample])
    subjects = [row[0] for row in cursor.fetchall()]
    kept, full = read_tastes(cursor, subjects, lock=False), recounted(cursor, subjects, event_weights())
    found = []
    for subject in subjects:
        [one] = kept[subject]
        other = full.get(subject)
        if other is None:
            found.append(1.0)
            continue
        moved = other.moved_to(one.as_of)
        size = max(float(np.linalg.norm(one.vector)), float(np.linalg.norm(moved.vector)), 1e-9)
        found.append(float(np.linalg.norm(one.vector - moved.vector)) / size)
    values = np.array(found, np.float64)
    return Drift("tastes", len(values), float(values.mean()) if found else 0.0, float(values.max(initial=0.0)), TASTES)


def _counts(now: datetime, sample: int, seed: int, tolerance: float) -> Iterator[Drift]:
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    events = read_events(until=now, event_weights=event_weights(), folded_only=True)
    some = np.random.default_rng(seed).permutation(len(events.products))[:sample]
    neighbours.forget()
    interest, orders = interest_matrix(events, until=now.timestamp()), order_matrix(events)
    for what, kind, matrix in (
        ("common shoppers of neighbours", NeighbourList.Kind.ITEM_TO_ITEM, interest),
        ("common orders of companions", NeighbourList.Kind.TOGETHER, orders),
    ):
        rows = neighbours.lists_of(active.pk if active else None, kind, events.products[some].tolist(), present=True)
        kept, full = _beside(rows, events, some, binary(matrix))
        yield _drift(what, kept, full, tolerance, by_mean=True)


def _beside(
    rows: dict[int, NeighbourRow], events: Events, some: npt.NDArray[np.int64], present: sp.csr_matrix
) -> tuple[Floats, Floats]:
    """Return the counts of every listed pair, as kept and as counted in full."""
    transposed = present.T.tocsr()
    kept: list[npt.NDArray[Any]] = [np.zeros(0)]
    full: list[npt.NDArray[Any]] = [np.zeros(0)]
    for column in some.tolist():
        row = rows[int(events.products[column])]
        both = np.asarray((transposed[column] @ present).todense()).ravel()
        places = np.minimum(np.searchsorted(events.products, row.products), max(len(events.products) - 1, 0))
        known = events.products[places] == row.products if len(events.products) else np.zeros(len(row.products), bool)
        kept.append(row.supports.astype(np.float64))
        full.append(np.where(known, both[places], 0.0) if len(both) else np.zeros(len(row.products)))
    return np.concatenate(kept), np.concatenate(full)
