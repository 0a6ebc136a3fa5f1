"""All signals of many cases at once, by the same models and rules as a request's. No Django here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.companions import Lists
from recommendations.learning.fitting import Candidates
from recommendations.learning.levels import levels
from recommendations.learning.material import Material
from recommendations.learning.matrices import interest_matrix, order_matrix
from recommendations.learning.neighbours import Row, item_neighbours, together
from recommendations.learning.own import OwnRepeats
from recommendations.learning.sequences import latest_visits
from recommendations.learning.shoppers import neighbourhoods
from recommendations.learning.signal_models import LIST_MODELS, SHOPPER_MODELS, chosen_by_similar
from recommendations.learning.sparse import Floats, Ints, entries, keys_of, top_of_rows, without
from recommendations.signals import ANCHORED, HOMEPAGE, POPULARITY_HALF_LIVES, PROPOSED, SIGNALS, VISITOR, Form
from recommendations.visit_neighbours import Visits

# As deep as the default blend's sources look, and as long as their stored lists are.
SOURCE_DEPTH = 150
STORED = 50
STRONGEST_RECENT = 30
STORED_CHOICES = 150
CHUNK = 250

Table: TypeAlias = sp.csr_matrix | Floats


@dataclass(frozen=True, slots=True)
class Shop:
    """What is known at one moment: events before it, embeddings (zero where there is none), and what may be shown."""

    material: Material
    vectors: npt.NDArray[np.float32]
    shown: npt.NDArray[np.bool_]


class SignalTables:
    """The signals of one shop at one moment, each model trained when first needed."""

    def __init__(self, shop: Shop) -> None:
        """Train nothing yet."""
        self.shop, self.material = shop, shop.material
        self.products = len(self.material.events.products)
        self._lists: dict[str, Lists | None] = {}

    @cached_property
    def visits(self) -> Visits:
        """Return the visits that are kept."""
        return latest_visits(self.material.events, until=self.material.until)

    @property
    def dead(self) -> Ints:
        """Return the products that no list may hold."""
        return np.flatnonzero(~self.shop.shown)

    @cached_property
    def levels(self) -> dict[str, Floats]:
        """Return every level, 0 for what may not be shown."""
        return {
            code: one * self.shop.shown for code, one in levels(self.material.events, until=self.material.until).items()
        }

    @cached_property
    def popular(self) -> Floats:
        """Return the square root of each product's 30-day popularity, relative to the most popular one."""
        sums = np.maximum(np.asarray(self._interest_sums()).ravel(), 0)
        return np.asarray(np.sqrt(sums / max(sums.max(initial=0.0), 1e-12)) * self.shop.shown, np.float64)

    def _interest_sums(self) -> Floats:
        events = self.material.events
        ages = np.maximum(self.material.until - events.moment, 0) / 86_400 / 30.0
        return np.bincount(events.product, events.weight * np.exp(-ages), self.products).astype(np.float64)

    @cached_property
    def interest(self) -> sp.csr_matrix:
        """Return persons × products of the default blend's interest."""
        return interest_matrix(self.material.events, until=self.material.until)

    @cached_property
    def own(self) -> OwnRepeats:
        """Return everybody's repeats."""
        return OwnRepeats(self.material.events, until=self.material.until)

    @cached_property
    def item_to_item(self) -> sp.csr_matrix:
        """Return the default blend's neighbours."""
        return _matrix(item_neighbours(self.interest, most=STORED), self.products)

    @cached_property
    def together(self) -> sp.csr_matrix:
        """Return the default blend's companions in orders."""
        return _matrix(together(order_matrix(self.material.events), most=STORED), self.products)

    @cached_property
    def content(self) -> sp.csr_matrix:
        """Return the 50 nearest by cosine of each product."""
        chunks = []
        for start in range(0, self.products, CHUNK):
            near = self.shop.vectors[start : start + CHUNK] @ self.shop.vectors.T
            near[np.arange(len(near)), np.arange(start, start + len(near))] = 0
            chunks.append(_top_dense(near, STORED))
        return sp.vstack(chunks, format="csr")

    def lists(self, code: str) -> sp.csr_matrix | None:
        """Return products × products of one list signal, or None where the model does not suit the shop."""
        signal = SIGNALS[code]
        if signal.kind == "content":
            return self.content.power(signal.power)
        if code not in self._lists:
            self._lists[code] = LIST_MODELS[code](self.material)
        found = self._lists[code]
        return None if found is None else found.scores

    def of_persons(self, persons: Ints, *, repeats: bool) -> dict[str, Table]:
        """Return the homepage's signals of these persons; their own repeats only with `repeats`."""
        profile = self.material.profile[persons]
        found = self._common([code for code, one in HOMEPAGE.items() if one.form is Form.LIST], profile)
        found["taste"] = self._near(self._tastes(persons), SOURCE_DEPTH)
        strongest = top_of_rows(self.interest[persons], STRONGEST_RECENT)
        found["neighbours"] = (strongest @ self.item_to_item).tocsr()
        rows = neighbourhoods(self.interest, persons, most=2 * STORED)
        found["similar_shoppers"] = _matrix(_renumbered(rows), self.products, rows=len(persons))
        for code in SHOPPER_MODELS:
            found[code] = chosen_by_similar(self.material, code, persons, most=STORED_CHOICES)[0]
        if repeats:
            found |= {code: one[persons] for code, one in self.own.signals().items()}
        return found

    def of_nobody(self) -> dict[str, Table]:
        """Return the homepage's signals of whoever nothing is known of."""
        return self.levels | {"popular": self.popular}

    def of_visits(self, given: sp.csr_matrix) -> dict[str, Table]:
        """Return the homepage's signals of visits that so far held the given products: rows of ones."""
        found = self._common([code for code, one in VISITOR.items() if one.form is Form.LIST], given)
        found["taste"] = self._near(given @ self.shop.vectors, SOURCE_DEPTH)
        found["neighbours"] = (given @ self.item_to_item).tocsr()
        found["visits"] = self._next_of(given)
        return found

    def of_anchors(self, anchors: sp.csr_matrix) -> dict[str, Table]:
        """Return the signals of carts, or of single products: rows of ones."""
        found = self._common([code for code, one in ANCHORED.items() if one.form is Form.LIST], anchors)
        means = anchors @ self.shop.vectors
        near = self._near(means, SOURCE_DEPTH)
        single = np.diff(anchors.indptr) == 1
        found["near_anchors"] = near if not single.all() else (anchors @ self.content).tocsr()
        found["together"] = (anchors @ self.together).tocsr()
        found["also_viewed"] = (anchors @ self.item_to_item).tocsr()
        found["visits"] = self._next_of(anchors)
        return found

    def _next_of(self, held: sp.csr_matrix) -> sp.csr_matrix:
        ids, lists = self.material.events.products, []
        for start, end in pairwise(held.indptr.tolist()):
            lists.append(self.visits.next_of(ids[held.indices[start:end]], held.data[start:end]))
        return _matrix(
            [
                Row(row, np.searchsorted(ids, found), scores, counts)
                for row, (found, scores, counts) in enumerate(lists)
            ],
            self.products,
            rows=held.shape[0],
        )

    def _common(self, codes: Sequence[str], profile: sp.csr_matrix) -> dict[str, Table]:
        found: dict[str, Table] = {}
        for code in codes:
            if (lists := self.lists(code)) is not None:
                found[code] = (profile @ lists).tocsr()
        return found | self.of_nobody()

    def _tastes(self, persons: Ints) -> npt.NDArray[np.float64]:
        """Return the taste vectors of persons, dislikes included."""
        events = self.material.events
        ages = np.maximum(self.material.until - events.moment, 0) / 86_400 / 30.0
        shape = (len(events.persons), self.products)
        weighted = sp.csr_matrix((events.weight * np.exp(-ages), (events.person, events.product)), shape=shape)
        return np.asarray(weighted[persons] @ self.shop.vectors, np.float64)

    def _near(self, targets: npt.NDArray[np.float64], most: int) -> sp.csr_matrix:
        length = np.maximum(np.linalg.norm(targets, axis=1, keepdims=True), 1e-12)
        cosines = (targets / length) @ self.shop.vectors.T
        cosines[:, self.dead] = 0
        return _top_dense(cosines, most)


def side_by_side(tables: Mapping[str, Table], banned: sp.csr_matrix, *, codes: Sequence[str], dead: Ints) -> Candidates:
    """Return the 40 best of every signal, together, with all signals' values there, as `propose_mix` and `blend` do.

    `banned` (cases × products) holds what a list may not show; `dead` what no list may.
    """
    cases, products = banned.shape
    forbidden = keys_of(banned)
    if len(dead):
        everywhere = (np.arange(cases, dtype=np.int64)[:, None] * products + dead[None, :]).ravel()
        forbidden = np.union1d(forbidden, everywhere)
    clean = {code: one if isinstance(one, np.ndarray) else without(one, forbidden) for code, one in tables.items()}
    proposed = [np.zeros(0, np.int64)]
    proposed += [_proposals(code, clean[code], cases, forbidden) for code in codes]
    keys = np.setdiff1d(np.unique(np.concatenate(proposed)), forbidden, assume_unique=True)
    case, product = keys // products, keys % products
    signals = np.empty((len(keys), len(codes)), np.float32)
    for column, code in enumerate(codes):
        signals[:, column] = _values(code, clean[code], case, product)
    return Candidates(case, product, signals, tuple(codes), cases)


def _proposals(code: str, table: Table, cases: int, forbidden: Ints) -> Ints:
    if not isinstance(table, np.ndarray):
        return keys_of(top_of_rows(table, PROPOSED))
    if code not in POPULARITY_HALF_LIVES and code != "popular":
        return np.zeros(0, np.int64)
    best = np.argsort(-table, kind="stable")[: PROPOSED * 4]
    keys = np.arange(cases, dtype=np.int64)[:, None] * len(table) + best[None, :]
    allowed = ~np.isin(keys, forbidden)
    return keys[allowed & (np.cumsum(allowed, axis=1) <= PROPOSED)]


def _values(code: str, table: Table, case: Ints, product: Ints) -> Floats:
    if isinstance(table, np.ndarray):
        return np.asarray(table[product], np.float64)
    found = entries(table, case, product)
    if SIGNALS[code].form is Form.OWN:
        return found
    best = table.max(axis=1).toarray().ravel() if table.nnz else np.zeros(table.shape[0])
    return np.sqrt(np.clip(found, 0, None) / np.maximum(best, 1e-12)[case])


def default_score(candidates: Candidates) -> Floats:
    """Return ½ content + 0.3 collaborative + 0.2 popularity of candidates, as the default blend makes them."""
    column = {code: candidates.signals[:, place] ** 2 for place, code in enumerate(candidates.codes)}
    nothing = np.zeros(len(candidates.case), np.float32)
    content = column.get("taste", nothing) + column.get("near_anchors", nothing)
    speakers = [
        column[code] for code in ("neighbours", "similar_shoppers", "together", "also_viewed") if code in column
    ]
    collaborative = sum(speakers, nothing) / max(len(speakers), 1)
    return np.asarray(0.5 * content + 0.3 * collaborative + 0.2 * column.get("popular", nothing))


def default_together(candidates: Candidates) -> Floats:
    """Return the default order of bought together: that signal alone, then the blend of the rest."""
    together = candidates.signals[:, candidates.codes.index("together")]
    return np.where(together > 0, 1 + together, 0.5 * default_score(candidates))


def joined(parts: Sequence[Candidates]) -> Candidates:
    """Return several batches of cases as one."""
    offsets = np.cumsum([0] + [one.cases for one in parts])
    return Candidates(
        np.concatenate([one.case + offset for one, offset in zip(parts, offsets[:-1], strict=True)]),
        np.concatenate([one.product for one in parts]),
        np.concatenate([one.signals for one in parts]),
        parts[0].codes,
        int(offsets[-1]),
    )


def _matrix(found: Iterable[Row], columns: int, rows: int | None = None) -> sp.csr_matrix:
    lists = list(found)
    row = np.repeat([one.row for one in lists], [len(one.columns) for one in lists]).astype(np.int64)
    column = np.concatenate([np.zeros(0, np.int64), *(one.columns for one in lists)])
    values = np.concatenate([np.zeros(0), *(one.scores for one in lists)])
    return sp.csr_matrix((values, (row, column)), shape=(columns if rows is None else rows, columns))


def _renumbered(rows: Iterable[Row]) -> list[Row]:
    return [Row(place, one.columns, one.scores, one.supports) for place, one in enumerate(rows)]


def _top_dense(values: npt.NDArray[np.floating], most: int) -> sp.csr_matrix:
    few = min(most, values.shape[1])
    columns = np.argpartition(-values, few - 1, axis=1)[:, :few]
    kept = np.maximum(np.take_along_axis(values, columns, 1), 0).astype(np.float64)
    pointers = np.arange(len(values) + 1) * few
    return sp.csr_matrix((kept.ravel(), columns.ravel(), pointers), shape=values.shape)
