"""Lists for a whole file of shoppers, carts or products, straight from the pipeline into a CSV file."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from recommendations.contracts import Placement, Query
from recommendations.evaluation.files import column_of, grouped, written_whole
from recommendations.pipeline import recommend
from recommendations.shelf import ActiveVersion, shelf

KEYS = {
    Placement.HOMEPAGE: "user_id",
    Placement.CART: "cart_id",
    Placement.PRODUCT: "anchor_id",
    Placement.BOUGHT_TOGETHER: "anchor_id",
}
Named = tuple[str, Query]


@dataclass(frozen=True, slots=True)
class Exported:
    """How many lists and rows were written, and how many products of the file nobody knows."""

    lists: int
    rows: int
    unknown: int


def cases_in(path: Path, pattern: Query) -> Iterator[Named]:
    """Yield each case of a file with its question: `pattern`, with the case's shopper, cart or product put in.

    Raises `CaseFileError` where the file cannot be read or lacks a column.
    """
    if pattern.placement is Placement.HOMEPAGE:
        for user_id in column_of(path, ["user_id"]):
            yield user_id, replace(pattern, user_id=user_id)
    elif pattern.placement is Placement.CART:
        for cart_id, products in grouped(path, key="cart_id", value="product_id").items():
            yield cart_id, replace(pattern, anchors=tuple(dict.fromkeys(products)))
    else:
        for product_id in column_of(path, ["product_id", "anchor_id"]):
            yield product_id, replace(pattern, anchors=(product_id,))


def export_lists(
    cases: Iterable[Named], out: Path, *, placement: Placement, version: ActiveVersion, tick: Callable[[], None]
) -> Exported:
    """Write `key,rank,product_id,score` rows for every case; `out` appears when all of them are written.

    A shopper or cart that nobody knows gets what the pipeline gives strangers; a product that nobody knows has no
    list and is counted. Nothing is remembered as served. Raises OSError and `CaseFileError`.
    """
    shelf.refresh()
    lists = rows = unknown = 0
    needs_anchor = placement in (Placement.PRODUCT, Placement.BOUGHT_TOGETHER)
    with written_whole(out) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow([KEYS[placement], "rank", "product_id", "score"])
        for key, query in cases:
            tick()
            if needs_anchor and not shelf.ids_of(query.anchors):
                unknown += 1
                continue
            items = recommend(query, version=version).items
            writer.writerows(
                (key, rank, item.facts.product_id, f"{item.scored.score:.6f}")
                for rank, item in enumerate(items, start=1)
            )
            lists += 1
            rows += len(items)
    return Exported(lists, rows, unknown)
