"""Lists of neighbours, added up: who did this also did that, by products, by similar shoppers, by common orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recommendations.candidates import Context, concatenated, votes
from recommendations.contracts import Counts, Ids, NeighbourRow, Scores, Source, Votes
from recommendations.models import NeighbourList
from recommendations.neighbours import lists_of
from recommendations.restock import as_arrays
from recommendations.signals import RESTOCK

Kind = NeighbourList.Kind


@dataclass(frozen=True, slots=True)
class Summed:
    """What several neighbour lists say together: parallel arrays, products once each, by id."""

    products: Ids
    totals: Scores
    supports: Counts
    because: Ids


NOTHING = Summed(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))


def neighbours_of_recent(context: Context) -> Votes | None:
    """Return the neighbours of what the shopper dealt with lately, each weighted by how strong that interest is."""
    recent = context.taste.recent
    if not recent:
        return None
    rows = lists_of(context.version, Kind.ITEM_TO_ITEM, [one.product for one in recent], present=context.is_present)
    return votes_of(context, "neighbours", summed(rows, {one.product: one.weight for one in recent}))


def alike_in_visit(context: Context) -> Votes | None:
    """Return what is like the latest products of this visit: what a shopper looks at now outweighs a long history."""
    visit = context.taste.visit
    if not visit:
        return None
    rows = lists_of(context.version, Kind.CONTENT, [one.product for one in visit], present=context.is_present)
    found = summed(rows, {one.product: 1 / place for place, one in enumerate(visit, start=1)})
    return votes(context, Source.CONTENT, "visit", found.products, found.totals, because=found.because)


def neighbours_of_anchors(context: Context) -> Votes:
    """Return what shoppers who dealt with the product or the cart also dealt with."""
    rows = lists_of(context.version, Kind.ITEM_TO_ITEM, context.anchors, present=context.is_present)
    return votes_of(context, "also_viewed", summed(rows, dict.fromkeys(context.anchors, 1.0)))


def bought_with_anchors(context: Context) -> Votes:
    """Return what was bought in the same orders as the product or the cart."""
    rows = lists_of(context.version, Kind.TOGETHER, context.anchors, present=context.is_present)
    return votes_of(context, "together", summed(rows, dict.fromkeys(context.anchors, 1.0)))


def similar_shoppers(context: Context) -> Votes | None:
    """Return what the shoppers most like this one did."""
    found = context.neighbourhoods.get("")
    if found is None:
        return None
    return votes(
        context, Source.COLLABORATIVE, "similar_shoppers", found.products, found.scores, supports=found.supports
    )  # fmt: skip


def due_again(context: Context) -> Votes | None:
    """Return what the shopper bought and whose usual interval has passed."""
    if not context.restock.due:
        return None
    products, strengths = as_arrays(context.restock.due)
    found = votes(context, Source.COLLABORATIVE, RESTOCK, products, strengths, because=products)
    return replace(found, absolute=True)


def votes_of(context: Context, code: str, found: Summed) -> Votes:
    """Return the best of what lists said together."""
    return votes(
        context,
        Source.COLLABORATIVE,
        code,
        found.products,
        found.totals,
        supports=found.supports,
        because=found.because,
    )


def summed(rows: Mapping[int, NeighbourRow], weights: Mapping[int, float], *, power: float = 1.0) -> Summed:
    """Add up weight × similarity^power of all rows; support and reason come from the row that adds most."""
    anchors: Sequence[int] = [anchor for anchor in weights if len(rows[anchor].products)]
    products: Ids = concatenated([rows[anchor].products for anchor in anchors])  # type: ignore[assignment]
    if len(products) == 0:
        return NOTHING
    scores, supports = [np.concatenate(column) for column in zip(*((rows[anchor].scores, rows[anchor].supports)
                        for anchor in anchors), strict=True)]  # fmt: skip
    sizes = np.array([len(rows[anchor].products) for anchor in anchors])
    named, weight = np.array(anchors, np.int64), np.array([weights[anchor] for anchor in anchors])
    parts = (scores if power == 1.0 else scores**power) * np.repeat(weight, sizes)
    order, ascending = _by_product(products)
    parts, because = parts[order], np.repeat(named, sizes)[order]
    begins = np.ones(len(ascending), bool)
    begins[1:] = ascending[1:] != ascending[:-1]
    starts, group = np.flatnonzero(begins), np.cumsum(begins) - 1
    # Row by row, so that equal rows give equal sums.
    totals = np.bincount(group, weights=parts, minlength=len(starts)).astype(np.float64)
    loud = np.flatnonzero(parts == np.maximum.reduceat(parts, starts)[group])
    if len(loud) > len(starts):
        # Of equally loud rows, that of the highest id.
        heard = loud[np.lexsort((because[loud], group[loud]))]
        loud = heard[np.append(group[heard][1:] != group[heard][:-1], True)]
    return Summed(ascending[starts], totals, supports[order[loud]], because[loud])


def _by_product(products: Ids) -> tuple[npt.NDArray[np.int64], Ids]:
    """Return the places of products in ascending order, equal ones as they came, and the products in that order.

    Sorting numbers is five times as quick as sorting their places; so the places ride along in the lowest bits.
    """
    bits = len(products).bit_length()
    if int(products.max()) >> (62 - bits):
        order = np.argsort(products, kind="stable")
        return order, products[order]
    both = np.sort((products << bits) | np.arange(len(products)))
    return both & ((1 << bits) - 1), both >> bits
