"""Session neighbours: past visits like the present one say what comes next (VS-SKNN, Ludewig & Jannach 2018). Pure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Counts, Ids, Scores

NEAREST = 100
# A visit says less the older it is; days.
VISIT_HALF_LIFE = 120.0
NOTHING = (np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64))


@dataclass(frozen=True)
class Visits:
    """v visits, as rows of a sparse matrix: visit n held `columns[pointers[n]:pointers[n + 1]]`, places in `products`.

    `products` are our ids, ascending; `fading` is each visit's weight by its age, in (0, 1].
    """

    products: Ids
    pointers: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    fading: npt.NDArray[np.float32]

    @cached_property
    def rarity(self) -> Scores:
        """Return ln(1 + visits / (visits with it + 1)) of each product."""
        held = np.bincount(self.columns, minlength=len(self.products))
        return np.log1p(len(self.fading) / (held + 1.0)).astype(np.float64)

    @cached_property
    def factor(self) -> Scores:
        """Return what a shared product of a visit counts: √fading of long visits, so that they do not match all."""
        return np.asarray(self.fading / np.sqrt(np.maximum(np.diff(self.pointers), 1)), np.float64)

    @cached_property
    def postings(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return where each product's visits begin, and the visits by product."""
        order = np.argsort(self.columns, kind="stable")
        visit = np.repeat(np.arange(len(self.fading)), np.diff(self.pointers))
        starts = np.searchsorted(self.columns[order], np.arange(len(self.products) + 1))
        return starts.astype(np.int64), visit[order].astype(np.int64)

    def next_of(self, held: Ids, weights: Scores) -> tuple[Ids, Scores, Counts]:
        """Return what the 100 visits nearest to the `held` products held besides: ids, scores, how many visits.

        Nearness is Σ weight × rarity over shared products, × fading / √length; a product's score the sum of the
        squared nearness of the visits that held it, so that the closest ones lead.
        """
        if len(self.products) == 0 or len(held) == 0:
            return NOTHING
        places = np.minimum(np.searchsorted(self.products, held), len(self.products) - 1)
        known = self.products[places] == held
        places, weights = places[known], weights[known] * self.rarity[places[known]]
        if len(places) == 0:
            return NOTHING
        starts, visits = self.postings
        spans = spread(starts[places], starts[places + 1])
        row, parts = visits[spans], np.repeat(weights, starts[places + 1] - starts[places])
        nearness = np.bincount(row, parts, len(self.fading)) * self.factor
        near = np.argpartition(-nearness, min(NEAREST, len(nearness)) - 1)[:NEAREST]
        near = near[nearness[near] > 0]
        sizes = self.pointers[near + 1] - self.pointers[near]
        columns = self.columns[spread(self.pointers[near], self.pointers[near + 1])]
        totals = np.bincount(columns, np.repeat(nearness[near] ** 2, sizes), len(self.products))
        counts = np.bincount(columns, minlength=len(self.products))
        totals[places] = 0
        found = np.flatnonzero(totals > 0)
        return self.products[found], totals[found].astype(np.float64), counts[found].astype(np.int64)


def spread(starts: npt.NDArray[np.integer], ends: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return all numbers of many half-open spans, one span after the other."""
    lengths = (ends - starts).astype(np.int64)
    offsets = np.repeat(starts.astype(np.int64) - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return offsets + np.arange(int(lengths.sum()))
