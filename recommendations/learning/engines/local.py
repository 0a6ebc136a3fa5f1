"""The local engine: all events in this process' memory, some 50 bytes each."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property

import scipy.sparse as sp

from recommendations.forward_decay import recount_popularity
from recommendations.learning.events import Events
from recommendations.learning.matrices import interest_matrix, order_matrix
from recommendations.learning.neighbours import Row, Totals, item_neighbours, together, totals_of
from recommendations.learning.reading import read_events


class LocalReading:
    """Events as arrays, and matrices made of them when they are first asked for."""

    def __init__(self, events: Events, *, until: datetime, event_weights: Mapping[str, float]) -> None:
        """Keep the events."""
        self.recent, self._until, self._weights = events, until, event_weights
        self.products = events.products
        self.figures: Mapping[str, int] = {"events": len(events), "products": len(events.products)}

    @cached_property
    def interest(self) -> sp.csr_matrix:
        """Return persons × products."""
        return interest_matrix(self.recent, until=self._until.timestamp())

    @cached_property
    def _orders(self) -> sp.csr_matrix:
        return order_matrix(self.recent)

    def recount_popularity(self) -> int:
        """Count every product's popularity anew; return how many have any."""
        return recount_popularity(self._weights)

    def persons(self) -> Totals:
        """Return how many persons there are, and who was interested in each product."""
        return totals_of(self.interest)

    def orders(self) -> Totals:
        """Return how many orders there are, and how many hold each product."""
        return totals_of(self._orders)

    def neighbours(self, *, most: int) -> Iterator[Row]:
        """Yield the neighbours of each product."""
        return item_neighbours(self.interest, most=most)

    def together(self, *, most: int) -> Iterator[Row]:
        """Yield what is bought together with each product."""
        return together(self._orders, most=most)

    def close(self) -> None:
        """Give nothing back: memory is."""


def read(*, until: datetime, event_weights: Mapping[str, float]) -> LocalReading:
    """Read all folded events before `until` into memory."""
    events = read_events(until=until, event_weights=event_weights, folded_only=True)
    return LocalReading(events, until=until, event_weights=event_weights)
