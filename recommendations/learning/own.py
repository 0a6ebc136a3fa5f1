"""Own repeats of all shoppers at once, and the usual interval of every product. No Django here."""

import numpy as np
import scipy.sparse as sp

from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.events import Events
from recommendations.learning.sparse import Floats, Ints
from recommendations.repeats import OwnHistory, own_signals


class OwnRepeats:
    """Who bought what how often and when, from the purchases of known users before `until` (epoch seconds)."""

    def __init__(self, events: Events, *, until: float) -> None:
        """Count."""
        chosen = events.bought & events.known
        person, product = events.person[chosen].astype(np.int64), events.product[chosen].astype(np.int64)
        ages = (until - events.moment[chosen]) / SECONDS_PER_DAY
        visits, visit = np.unique(events.visit[chosen], return_inverse=True)
        self.shape = (len(events.persons), len(events.products))
        keys, row = np.unique(person * self.shape[1] + product, return_inverse=True)
        self.person, self.product = keys // max(self.shape[1], 1), keys % max(self.shape[1], 1)
        first, last = np.full(len(keys), -np.inf), np.full(len(keys), np.inf)
        np.maximum.at(first, row, ages)
        np.minimum.at(last, row, ages)
        orders = _different(row, visit, len(visits), len(keys))
        all_orders = _different(person, visit, len(visits), self.shape[0])[self.person]
        self.usual = self._usual(orders, first - last)
        self.history = OwnHistory(orders, all_orders, first, last, self.usual[self.product])

    def _usual(self, orders: Floats, spans: Floats) -> Floats:
        """Return each product's mean days between two purchases, shrunk towards the shop's as if seen twice."""
        gaps = np.bincount(self.product, orders - 1, self.shape[1])
        days = np.bincount(self.product, spans, self.shape[1])
        shop = (days.sum() + 30.0) / (gaps.sum() + 1)
        return np.asarray((days + 2 * shop) / (gaps + 2), np.float64)

    def signals(self) -> dict[str, sp.csr_matrix]:
        """Return each own signal as persons × products."""
        place = (self.person, self.product)
        return {
            code: sp.csr_matrix((values, place), shape=self.shape) for code, values in own_signals(self.history).items()
        }


def _different(row: Ints, visit: Ints, visits: int, rows: int) -> Floats:
    """Return how many different visits each row has."""
    pairs = np.unique(row * max(visits, 1) + visit)
    return np.bincount(pairs // max(visits, 1), minlength=rows).astype(np.float64)
