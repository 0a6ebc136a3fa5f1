"""What a training asks of an engine."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.events import Events
from recommendations.learning.neighbours import Row, Totals


class EngineError(Exception):
    """The engine that was asked for cannot work; the message says why."""


class Reading(Protocol):
    """All events before a moment, wherever they lie, and what is learned from them.

    Rows and columns of lists, and frequencies, are numbered by `products`: our ids of all products that any event
    names, ascending.
    """

    products: npt.NDArray[np.int64]
    figures: Mapping[str, int]

    @property
    def recent(self) -> Events:
        """The events that this process holds: all of them, or the latest where memory ends."""
        ...

    @property
    def interest(self) -> sp.csr_matrix:
        """Persons × products of the recent events."""
        ...

    def recount_popularity(self) -> int:
        """Count every product's popularity anew; return how many have any."""
        ...

    def persons(self) -> Totals:
        """Return how many persons there are, and who was interested in each product."""
        ...

    def orders(self) -> Totals:
        """Return how many orders there are, and how many hold each product."""
        ...

    def neighbours(self, *, most: int) -> Iterator[Row]:
        """Yield the neighbours of each product, products ascending."""
        ...

    def together(self, *, most: int) -> Iterator[Row]:
        """Yield what is bought together with each product, products ascending."""
        ...

    def close(self) -> None:
        """Give back what the reading holds."""
        ...


class Read(Protocol):
    """Reads all folded events before a moment, in the transaction that is open."""

    def __call__(self, *, until: datetime, event_weights: Mapping[str, float]) -> Reading:
        """Return the reading; whoever asked for it closes it."""
        ...
