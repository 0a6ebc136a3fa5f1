"""How exactly and how quickly the nearest of 100,000 vectors are found, with filters on, against comparing all of them.

    python -m benchmarks.search_recall [--products 100000]

Asks pgvector's index, as shops beyond `REEMIO_VECTORS_IN_MEMORY` do, and the vectors in memory, as all others do.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.table import Finding, show

QUERIES, WANTED = 60, 50
Search = Callable[[np.ndarray], list[int]]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    show(measure(products=parser.parse_args().products))


def measure(*, products: int = 100_000) -> list[Finding]:
    """Return recall@50 and the median time of each way, with availability alone and with a category of 5 %."""
    with scratch("recall"):
        from django.db import connection

        from benchmarks.shop import PRODUCTS, clustered, put_vectors

        known = clustered(products)
        with connection.cursor() as cursor:
            cursor.execute(PRODUCTS, [products])
            put_vectors(cursor, known)
            cursor.execute("VACUUM ANALYZE catalog_product, catalog_productembedding")
        return compare(known)


def compare(known: np.ndarray) -> list[Finding]:
    """Search among the products that are there, whose vectors are `known`, the first that of the one with id 1."""
    from recommendations.contracts import Filters
    from recommendations.shelf import shelf
    from recommendations.vectors import vectors

    shelf.refresh()
    assert vectors.are_held
    targets, findings = _targets(known), []
    for name, filters in (("in stock", Filters()), ("a category of 5 %", Filters("Department 7"))):
        exact, took = _compared(known, _ids_of(shelf, filters), targets)
        for way, search in (("pgvector", _pgvector(filters)), ("in memory", _memory(shelf, vectors, filters))):
            findings.append(_finding(f"nearest 50 of {len(known):,}, {name}: {way}", search, targets, exact, took))
    return findings


def _targets(known: np.ndarray) -> np.ndarray:
    """Return questions that lie near products, but are none of them."""
    draw = np.random.default_rng(23)
    noise = draw.standard_normal((QUERIES, known.shape[1])).astype(np.float32) / np.sqrt(known.shape[1])
    return known[draw.integers(0, len(known), QUERIES)] + 0.7 * noise


def _ids_of(shelf, filters) -> np.ndarray:
    return np.sort(shelf.ids[shelf.eligible(filters)])


def _compared(known: np.ndarray, ids: np.ndarray, targets: np.ndarray) -> tuple[list[set[int]], float]:
    """Return the 50 nearest of these ids (1 is the first vector) by comparing all, and the median time in ms."""
    allowed, found, took = known[ids - 1], [], []
    for target in targets:
        began = time.perf_counter()
        best = np.argpartition(-(allowed @ target), WANTED)[:WANTED]
        took.append((time.perf_counter() - began) * 1000)
        found.append(set(ids[best].tolist()))
    return found, statistics.median(took)


def _pgvector(filters) -> Search:
    from django.db import connection

    from recommendations.candidates.content import NEAREST
    from recommendations.filtering import conditions
    from recommendations.taste import format_vector

    condition, more = conditions(filters)
    statement = NEAREST.format(condition=condition, limit=WANTED)

    def search(target: np.ndarray) -> list[int]:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"vector": format_vector(target)} | more)
            return [product for product, _ in cursor.fetchall()]

    return search


def _memory(shelf, vectors, filters) -> Search:
    def search(target: np.ndarray) -> list[int]:
        return shelf.ids[vectors.nearest(target, shelf.eligible(filters), WANTED)[0]].tolist()

    return search


def _finding(what: str, search: Search, targets: np.ndarray, exact: list[set[int]], took: float) -> Finding:
    for target in targets[:10]:
        search(target)
    times, hits = [], 0
    for target, expected in zip(targets, exact, strict=True):
        began = time.perf_counter()
        found = search(target)
        times.append((time.perf_counter() - began) * 1000)
        hits += len(expected.intersection(found))
    recall, p50 = hits / (WANTED * len(targets)), statistics.median(times)
    return Finding(what, f"recall {recall:.3f}, p50 {p50:.1f} ms", f"comparing all {took:.1f} ms", f"{p50 / took:.2f}",
                   "≥ 0.95, ≤ 10 ms", recall >= 0.95 and p50 <= 10)  # fmt: skip


if __name__ == "__main__":
    main()
