"""Rolling cuts of time: what was known at a moment, and what was wanted in the days after it. No Django here."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy.sparse as sp

from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.events import Events, chosen
from recommendations.learning.fitting import Task
from recommendations.learning.material import Material
from recommendations.learning.signal_tables import SignalTables, Table, joined, side_by_side
from recommendations.learning.sparse import Ints, keys_of, rows_of, without

MOST_CASES = 1500
BATCH = 250
LONGEST_WINDOW = 28.0
CUTS = 4
# An order is asked about so many times, each time for a product drawn anew. Carts only where there are many orders:
# what is asked twice about one is not twice the evidence.
DRAWS, MANY_ORDERS = 3, 500
# A visit is asked about after so many products at most.
MOST_BEGUN = 3


class Face(StrEnum):
    """What is tuned: the placements; the homepage by whom it is for, and whether repurchases may be shown."""

    HOMEPAGE = "homepage"
    HOMEPAGE_REPEAT = "homepage_repeat"
    HOMEPAGE_GUEST = "homepage_guest"
    HOMEPAGE_VISIT = "homepage_visit"
    PRODUCT = "product"
    CART = "cart"
    BOUGHT_TOGETHER = "bought_together"

    @property
    def is_homepage(self) -> bool:
        """Tell whether it is the homepage."""
        return self.value.startswith("homepage")


@dataclass(frozen=True, slots=True)
class Cut:
    """A moment and the end of the window after it, in epoch seconds."""

    moment: float
    end: float


def cuts_before(events: Events, *, until: float) -> list[Cut]:
    """Return the cuts, newest first: four windows of four weeks, or of a tenth of what a younger shop has seen."""
    if not len(events):
        return []
    seen = (until - float(events.moment.min())) / SECONDS_PER_DAY
    window = min(LONGEST_WINDOW, seen / 10) * SECONDS_PER_DAY
    return [Cut(until - window * (n + 1), until - window * n) for n in range(CUTS)]


def task_of(face: Face, tables: SignalTables, future: Events, *, seed: int) -> Task | None:
    """Return the cases of one face in a window, or None where there are none."""
    rng = np.random.default_rng(seed)
    if face in (Face.HOMEPAGE, Face.HOMEPAGE_REPEAT):
        return _homepage(face, tables, future, rng)
    drawn = _drawn(face, tables.material.events, future, rng)
    if drawn is None:
        return None
    given, wanted = drawn
    wanted = without(wanted, np.union1d(keys_of(given), _dead(tables, wanted.shape)))
    wanted.eliminate_zeros()
    kept = np.flatnonzero(np.diff(wanted.indptr))
    if len(kept) == 0:
        return None
    given, wanted = given[kept], wanted[kept]
    parts = []
    for start in range(0, len(kept), BATCH):
        anchors = given[start : start + BATCH]
        found = _signals(face, tables, anchors)
        # Unlike the product in question or a cart, what was just looked at may be shown again.
        banned = sp.csr_matrix(anchors.shape) if face.is_homepage else anchors
        parts.append(side_by_side(found, banned, codes=sorted(found), dead=tables.dead))
    return Task.of(joined(parts), wanted)


def _drawn(
    face: Face, past: Events, future: Events, rng: np.random.Generator
) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Return what is given and what is wanted, cases × products each, or None where there are no cases."""
    match face:
        case Face.PRODUCT:
            return _viewed_next(future, rng)
        case Face.HOMEPAGE_GUEST:
            return _first_orders(newcomers(past, future), rng)
        case Face.HOMEPAGE_VISIT:
            return _visits_begun(newcomers(past, future), rng)
        case _:
            return _hidden(face, future, rng)


def _signals(face: Face, tables: SignalTables, given: sp.csr_matrix) -> dict[str, Table]:
    match face:
        case Face.HOMEPAGE_GUEST:
            return tables.of_nobody()
        case Face.HOMEPAGE_VISIT:
            return tables.of_visits(given)
        case _:
            return tables.of_anchors(given)


def _homepage(face: Face, tables: SignalTables, future: Events, rng: np.random.Generator) -> Task | None:
    """Return known shoppers' next orders; without repeats, only what they never bought before."""
    past = tables.material.events
    baskets, moment, person = Material(future, until=tables.material.until).baskets
    known = np.isin(person, np.unique(past.person[past.known]))
    order = np.flatnonzero(known)[np.argsort(moment[known], kind="stable")]
    persons, first = np.unique(person[order], return_index=True)
    wanted = baskets[order[first]]
    bought = tables.material.bought[persons]
    banned = sp.csr_matrix(bought.shape) if face is Face.HOMEPAGE_REPEAT else bought
    wanted = without(wanted, np.union1d(keys_of(banned), _dead(tables, wanted.shape)))
    wanted.eliminate_zeros()
    kept = np.flatnonzero(np.diff(wanted.indptr))
    if len(kept) == 0:
        return None
    kept = np.sort(rng.choice(kept, min(MOST_CASES, len(kept)), replace=False))
    parts = []
    for start in range(0, len(kept), BATCH):
        part = kept[start : start + BATCH]
        found = tables.of_persons(persons[part], repeats=face is Face.HOMEPAGE_REPEAT)
        parts.append(side_by_side(found, banned[part], codes=sorted(found), dead=tables.dead))
    return Task.of(joined(parts), wanted[kept])


def _dead(tables: SignalTables, shape: tuple[int, int]) -> Ints:
    dead = tables.dead
    return (np.arange(shape[0], dtype=np.int64)[:, None] * shape[1] + dead[None, :]).ravel()


def _hidden(face: Face, future: Events, rng: np.random.Generator) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Return orders of two or more with one product hidden; for bought together, with one product given."""
    baskets, _, _ = Material(future, until=0.0).baskets
    large = rng.permutation(np.flatnonzero(np.diff(baskets.indptr) >= 2))[:MOST_CASES]
    often = face is Face.BOUGHT_TOGETHER or len(large) >= MANY_ORDERS
    given, wanted = [], []
    for row in np.tile(large, DRAWS if often else 1).tolist():
        held = rng.permutation(baskets.indices[baskets.indptr[row] : baskets.indptr[row + 1]])
        wanted.append(held[:1])
        given.append(held[1:2] if face is Face.BOUGHT_TOGETHER else np.sort(held[1:]))
    columns = baskets.shape[1]
    return (rows_of(given, columns), rows_of(wanted, columns)) if len(large) else None


def newcomers(past: Events, future: Events) -> Events:
    """Return the future's events of persons who did nothing before it."""
    return chosen(future, ~np.isin(future.person, np.unique(past.person)))


def _first_orders(future: Events, rng: np.random.Generator) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Return nothing given, and each person's first order; in a shop without purchases, their first visit."""
    baskets, moment, person = Material(future, until=0.0).baskets
    order = np.lexsort((np.arange(len(moment)), moment))
    _, first = np.unique(person[order], return_index=True)
    kept = rng.permutation(order[first])[:MOST_CASES]
    wanted = baskets[kept]
    return (sp.csr_matrix(wanted.shape), wanted) if len(kept) else None


def _visits_begun(future: Events, rng: np.random.Generator) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Return the first one to three products that were looked at in a visit, and what was looked at after them."""
    seen = np.flatnonzero(~future.bought & (future.weight > 0))
    order = seen[np.lexsort((future.product[seen], future.moment[seen], future.visit[seen]))]
    given, wanted = [], []
    for visit in np.split(future.product[order], np.flatnonzero(np.diff(future.visit[order])) + 1):
        looked_at = visit[np.sort(np.unique(visit, return_index=True)[1])]
        if len(looked_at) > 1:
            begun = int(rng.integers(1, min(MOST_BEGUN, len(looked_at) - 1) + 1))
            given.append(np.sort(looked_at[:begun]))
            wanted.append(np.sort(looked_at[begun:]))
    kept = rng.permutation(len(given))[:MOST_CASES].tolist()
    columns = len(future.products)
    return (rows_of([given[n] for n in kept], columns), rows_of([wanted[n] for n in kept], columns)) if kept else None


def _viewed_next(future: Events, rng: np.random.Generator) -> tuple[sp.csr_matrix, sp.csr_matrix] | None:
    """Return what was viewed, and what was viewed next in the same visit."""
    seen = np.flatnonzero(~future.bought & (future.weight > 0))
    order = seen[np.lexsort((future.product[seen], future.moment[seen], future.visit[seen]))]
    first, second = order[:-1], order[1:]
    pairs = (future.visit[first] == future.visit[second]) & (future.product[first] != future.product[second])
    chosen = rng.permutation(np.flatnonzero(pairs))[:MOST_CASES]
    if len(chosen) == 0:
        return None
    columns = len(future.products)
    given = [future.product[first[one] : first[one] + 1] for one in chosen]
    wanted = [future.product[second[one] : second[one] + 1] for one in chosen]
    return rows_of(given, columns), rows_of(wanted, columns)
