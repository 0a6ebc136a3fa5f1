"""What the signals' models are made of: matrices of one moment, each made when first asked for. No Django here."""

from functools import cached_property

import numpy as np
import scipy.sparse as sp

from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.events import Events, between
from recommendations.learning.likeness import Catalogue
from recommendations.learning.neighbours import binary
from recommendations.learning.sparse import Floats, scale_rows
from recommendations.signals import PROFILE_HALF_LIFE

# Baskets beyond this size belong to resellers: they cost size² and say little.
MOST_OF_A_BASKET = 500


class Material:
    """Events before `until` (epoch seconds) as matrices. A purchase weighs 1, other events in proportion."""

    def __init__(
        self, events: Events, *, until: float, purchase_weight: float = 5.0, catalogue: Catalogue | None = None
    ) -> None:
        """Take the events, and what is known of their products; nothing is computed yet."""
        self.events, self.until, self.purchase_weight = events, until, purchase_weight
        self.catalogue = catalogue

    def persons(self, half_life: float | None, *, root: bool = True) -> sp.csr_matrix:
        """Return persons × products: Σ weight × 2^(−days / half-life), its square root unless `root` is false."""
        events = self.events
        values = np.maximum(events.weight, 0) / self.purchase_weight
        values = values * self._decay(events.moment, half_life)
        matrix = sp.csr_matrix(
            (values, (events.person, events.product)), shape=(len(events.persons), len(events.products))
        )
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        if root:
            matrix.data = np.sqrt(matrix.data)
        return matrix

    @cached_property
    def profile(self) -> sp.csr_matrix:
        """Return what every person is represented by."""
        return self.persons(PROFILE_HALF_LIFE)

    @cached_property
    def bought(self) -> sp.csr_matrix:
        """Return persons × products, 1 where something was ever bought."""
        events = self.events
        chosen = events.bought
        place = (events.person[chosen], events.product[chosen])
        matrix = sp.csr_matrix((np.ones(int(chosen.sum())), place), shape=(len(events.persons), len(events.products)))
        matrix.sum_duplicates()
        return binary(matrix)

    @cached_property
    def baskets(self) -> tuple[sp.csr_matrix, Floats, np.ndarray]:
        """Return baskets × products of ones, when each was (epoch seconds), and whose.

        A basket is an order, or the purchases of one visit; in a shop without purchases, what was seen in one visit.
        """
        events = self.events
        chosen = events.bought if events.bought.any() else events.weight > 0
        visits, row = np.unique(events.visit[chosen], return_inverse=True)
        shape = (len(visits), len(events.products))
        matrix = sp.csr_matrix((np.ones(len(row)), (row, events.product[chosen])), shape=shape)
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        moment, person = np.full(len(visits), -np.inf), np.zeros(len(visits), np.int64)
        np.maximum.at(moment, row, events.moment[chosen])
        person[row] = events.person[chosen]
        kept = np.diff(matrix.indptr) <= MOST_OF_A_BASKET
        return matrix[kept], moment[kept], person[kept]

    def weighted_baskets(self, half_life: float | None, *, size_power: float) -> sp.csr_matrix:
        """Return baskets weighing decay / (size − 1)^size_power, the root of it at each entry; singles weigh 0."""
        matrix, moment, _ = self.baskets
        size = np.diff(matrix.indptr)
        weight = self._decay(moment, half_life) * (size > 1) / np.maximum(size - 1.0, 1.0) ** size_power
        return scale_rows(matrix, np.sqrt(weight))

    def followers(self, half_life: float) -> tuple[sp.csr_matrix, sp.csr_matrix, Floats]:
        """Return baskets, the same person's next ones, and the weight of each pair."""
        matrix, moment, person = self.baskets
        order = np.lexsort((moment, person))
        same = person[order[1:]] == person[order[:-1]]
        first, second = order[:-1][same], order[1:][same]
        return matrix[first], matrix[second], self._decay(moment[second], half_life)

    def windows(
        self, half_life: float, *, most: int, days: float, fading: float
    ) -> tuple[sp.csr_matrix, sp.csr_matrix, Floats]:
        """Return profiles at the beginnings of the last windows, what the same persons took in them, and weights.

        Windows last `days`, or a tenth of what a younger shop has seen. Each one back counts `fading` as much as the
        one after it, and a person in a window 1/√(how many they took), so that heavy buyers do not speak for all.
        """
        events = self.events
        first = float(events.moment.min()) if len(events) else self.until
        span = min(days * SECONDS_PER_DAY, (self.until - first) / 10)
        chosen = events.bought if events.bought.any() else events.weight > 0
        befores, afters, weights = [], [], []
        for number in range(most):
            end = self.until - span * number
            window = (events.moment >= end - span) & (events.moment < end) & chosen
            place = (events.person[window], events.product[window])
            after = sp.csr_matrix(
                (np.ones(int(window.sum())), place), shape=(len(events.persons), len(events.products))
            )
            after.sum_duplicates()
            earlier = Material(
                between(events, -np.inf, end - span), until=end - span, purchase_weight=self.purchase_weight
            )
            before = earlier.persons(half_life)
            present = np.flatnonzero((np.diff(before.indptr) > 0) & (np.diff(after.indptr) > 0))
            befores.append(before[present])
            afters.append(binary(after[present]))
            weights.append(fading**number / np.sqrt(np.diff(after.indptr)[present]))
        return sp.vstack(befores, format="csr"), sp.vstack(afters, format="csr"), np.concatenate(weights)

    def _decay(self, moments: Floats, half_life: float | None) -> Floats:
        if half_life is None:
            return np.ones(len(moments))
        return np.exp2(-np.maximum(self.until - moments, 0) / SECONDS_PER_DAY / half_life)
