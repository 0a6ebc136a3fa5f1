"""Lists of neighbours, added up: who did this also did that, by products, by similar shoppers, by common orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

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
    parts = np.concatenate([np.zeros(0), *(rows[anchor].scores ** power * weights[anchor] for anchor in anchors)])
    supports: Counts = concatenated([rows[anchor].supports for anchor in anchors])  # type: ignore[assignment]
    because = np.repeat(np.array(anchors, np.int64), [len(rows[anchor].products) for anchor in anchors])
    if len(products) == 0:
        return Summed(products, parts, supports, because)
    order = np.argsort(products, kind="stable")
    ascending = products[order]
    begins = np.concatenate([[True], ascending[1:] != ascending[:-1]])
    starts, group = np.flatnonzero(begins), np.cumsum(begins) - 1
    # In the order of the rows, so that the sums do not depend on the sort.
    original = np.empty_like(group)
    original[order] = group
    totals = np.bincount(original, weights=parts, minlength=len(starts)).astype(np.float64)
    loud = parts[order] == np.maximum.reduceat(parts[order], starts)[group]
    speaker = np.maximum.reduceat(np.where(loud, because[order], -1), starts)
    top = order[np.flatnonzero(loud & (because[order] == speaker[group]))]
    return Summed(ascending[starts], totals, supports[top], because[top])
