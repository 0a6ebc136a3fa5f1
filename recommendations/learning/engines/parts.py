"""What Spark's executors do with their part of the events. No Django and no Spark here, only what an executor has.

Every step calls the functions of the local engine on some of the rows, and restores the order in which that one adds:
so both give the same numbers to the last bit.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.events import COMPACT, indexed
from recommendations.learning.matrices import interest_matrix, order_matrix
from recommendations.learning.neighbours import Row, Scorer, binary, top_rows

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.void]
# Rows of a matrix: their ids, and the rows themselves over all columns.
Part = tuple[Ints, sp.csr_matrix]
# A piece on disk has the events as they are learned from, and what each adds to popularity, NaN where nothing.
PIECE = np.dtype([*((name, COMPACT[name]) for name in COMPACT.names or ()), ("share", "f8")])


def before(rows: Rows, until: float) -> Rows:
    """Return the events before a moment, in epoch seconds."""
    return rows[rows["moment"] < until]


def scattered(rows: Rows, *, by: str, parts: int) -> Iterator[tuple[int, Rows]]:
    """Yield rows by the part that the number in their field `by` belongs to."""
    part = (rows[by].astype(np.uint64) % np.uint64(parts)).astype(np.int64)
    order = np.argsort(part, kind="stable")
    bounds = np.searchsorted(part[order], np.arange(parts + 1))
    for one in range(parts):
        chosen = order[bounds[one] : bounds[one + 1]]
        if len(chosen):
            yield one, rows[chosen]


def gathered(scattered_rows: Iterable[Rows]) -> Rows:
    """Return the rows of a part as one array."""
    return np.concatenate(list(scattered_rows))


def interest_part(rows: Rows, products: Ints, *, until: float) -> Part:
    """Return the interest of a part's persons, ids ascending."""
    events = indexed(before(rows, until), products)
    return events.persons, interest_matrix(events, until=until)


def order_part(rows: Rows, products: Ints, *, until: float) -> Part:
    """Return a part's orders × products; sums of ones are the same in any order, so that their ids do not matter."""
    matrix = order_matrix(indexed(before(rows, until), products))
    return np.zeros(matrix.shape[0], np.int64), matrix


def popularity_part(rows: Rows) -> tuple[Ints, Floats, Ints]:
    """Return ids, sums of shares and counts of a part's products, adding in the order of the shares."""
    counted = rows[~np.isnan(rows["share"])]
    counted = counted[np.argsort(counted["share"])]
    products, product = np.unique(counted["product"], return_inverse=True)
    sums = np.bincount(product, counted["share"], len(products)).astype(np.float64)
    return products, sums, np.bincount(product, minlength=len(products)).astype(np.int64)


def spans(frequency: Ints, *, most: int) -> list[tuple[int, int]]:
    """Return ranges of columns that cover all of them, each with at most `most` entries, or one column."""
    ends, start, held = [], 0, 0
    for column, count in enumerate(frequency.tolist()):
        if column > start and held + count > most:
            ends.append((start, column))
            start, held = column, 0
        held += count
    return [*ends, (start, len(frequency))] if len(frequency) else []


def squares_by_span(part: Part, starts: Ints) -> Iterator[tuple[int, tuple[Ints, Ints, Floats]]]:
    """Yield row ids, columns and squares of a part's entries by the span that their column lies in."""
    ids, matrix = part
    row = np.repeat(ids, np.diff(matrix.indptr))
    for span, chosen in _by_span(matrix, starts):
        columns = matrix.indices[chosen].astype(np.int64)
        yield span, (row[chosen], columns, matrix.data[chosen].astype(np.float64) ** 2)


def squares_of_span(pieces: Iterable[tuple[Ints, Ints, Floats]], start: int, end: int) -> Floats:
    """Return Σ x² of each column of a span, adding by ascending row id."""
    ids, columns, squares = (np.concatenate(one) for one in zip(*pieces, strict=True))
    order = np.argsort(ids, kind="stable")
    return np.bincount(columns[order] - start, squares[order], end - start).astype(np.float64)


def rows_by_span(part: Part, starts: Ints) -> Iterator[tuple[int, Part]]:
    """Yield for each span the rows of a part that have an entry there, whole."""
    ids, matrix = part
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    for span, chosen in _by_span(matrix, starts):
        rows = np.unique(row[chosen])
        yield span, (ids[rows], matrix[rows])


def best_of_span(pieces: Sequence[Part], start: int, end: int, *, most: int, score: Scorer) -> list[Row]:
    """Return the neighbours of each column of a span, from all rows that have an entry there."""
    order = np.argsort(np.concatenate([ids for ids, _ in pieces]), kind="stable")
    matrix = sp.vstack([rows for _, rows in pieces], format="csr")[order]
    present = binary(matrix)
    left, left_present = (one[:, start:end].T.tocsr() for one in (matrix, present))
    return list(top_rows(left, matrix, left_present, present, most=most, score=score, first=start))


def _by_span(matrix: sp.csr_matrix, starts: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each span that has entries, and where they are."""
    span = np.searchsorted(starts, matrix.indices, side="right") - 1
    order = np.argsort(span, kind="stable")
    bounds = np.searchsorted(span[order], np.arange(len(starts) + 1))
    for one in range(len(starts)):
        if bounds[one] < bounds[one + 1]:
            yield one, order[bounds[one] : bounds[one + 1]]
