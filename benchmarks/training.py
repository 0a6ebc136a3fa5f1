"""How quickly neighbours are learned from many interactions, against `implicit` on the same matrix.

    python benchmarks/training.py [INTERACTIONS] [PRODUCTS]

Makes up events (10,000,000, of 20,000 products, unless told otherwise) with popularity and activity as skewed as shops
have them, and learns from them what `train` learns, without the database. Prints the seconds of each step, the ratio of
the neighbours' step to implicit's BM25 fit on the same matrix with as many neighbours, and this process' peak memory.

`implicit` is no dependency: where it is not installed (`pip install --no-deps implicit`), a plain scipy product of the
same weighted matrix with itself, cut to as many neighbours, takes its place and is named so.
"""

import importlib.util
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from recommendations.learning.events import Events
from recommendations.learning.matrices import interest_matrix, order_matrix
from recommendations.learning.neighbours import bm25_weighted, item_neighbours, together
from recommendations.learning.own import OwnRepeats
from recommendations.learning.restock import restock_days
from recommendations.learning.shoppers import neighbourhoods

NEIGHBOURS = 50
DAY = 86_400.0
UNTIL = 365 * DAY


def main(count: int, products: int) -> None:
    """Measure each step, and the reference."""
    events = made_up(count, products)
    interest = timed("interest matrix", lambda: interest_matrix(events, until=UNTIL))
    print(f"  {interest.nnz:,} entries of {interest.shape[0]:,} persons and {interest.shape[1]:,} products")
    timed(name_of_reference(), lambda: fit_reference(interest))
    began = time.perf_counter()
    timed("neighbours", lambda: sum(1 for _ in item_neighbours(interest, most=NEIGHBOURS)))
    ours = time.perf_counter() - began
    timed("bought together", lambda: sum(1 for _ in together(order_matrix(events), most=NEIGHBOURS)))
    latest = np.arange(interest.shape[0])[-20_000:]
    timed("similar shoppers, 20,000", lambda: sum(1 for _ in neighbourhoods(interest, latest, most=NEIGHBOURS)))
    own = timed("own repeats", lambda: OwnRepeats(events, until=UNTIL))
    timed("restock days", lambda: restock_days(own, np.zeros(products, np.int64)))
    print(f"neighbours ÷ {name_of_reference()}  {ours / reference_seconds():.2f}")
    print(f"peak memory  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


_seconds: dict[str, float] = {}


def timed(step: str, work: Callable[[], Any]) -> Any:
    """Do it, and print how long it took."""
    began = time.perf_counter()
    found = work()
    _seconds[step] = time.perf_counter() - began
    print(f"{step:34} {_seconds[step]:8.1f} s", flush=True)
    return found


def reference_seconds() -> float:
    """Return how long the reference took."""
    return _seconds[name_of_reference()]


def name_of_reference() -> str:
    """Return what the neighbours are compared with."""
    return "implicit BM25Recommender.fit" if importlib.util.find_spec("implicit") else "scipy reference"


def fit_reference(interest: sp.csr_matrix) -> Any:
    """Fit implicit's nearest neighbours, or multiply the weighted matrix with itself in chunks."""
    if importlib.util.find_spec("implicit"):
        nearest = importlib.import_module("implicit.nearest_neighbours")
        model = nearest.BM25Recommender(K=NEIGHBOURS, num_threads=2)
        model.fit(interest, show_progress=False)
        return model
    weighted = bm25_weighted(interest)
    transposed, kept = weighted.T.tocsr(), []
    for start in range(0, transposed.shape[0], 512):
        chunk = (transposed[start : start + 512] @ weighted).tocsr()
        for row in range(chunk.shape[0]):
            values = chunk.data[chunk.indptr[row] : chunk.indptr[row + 1]]
            kept.append(np.argpartition(-values, NEIGHBOURS)[:NEIGHBOURS] if len(values) > NEIGHBOURS else values)
    return kept


def made_up(count: int, products: int) -> Events:
    """Return purchases and views of a year: a product's share falls as 1/rank^0.8, a person has 20 on average."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, products + 1) ** 0.8
    person = np.sort((count / 20 * rng.random(count) ** 1.5).astype(np.int64))
    product = rng.choice(products, count, p=share / share.sum())
    moment = rng.uniform(0, UNTIL, count)
    bought = rng.random(count) < 0.3
    visit = person * 400 + (moment / DAY).astype(np.int64)
    return Events(
        person=person.astype(np.int32),
        product=product.astype(np.int32),
        weight=np.where(bought, 5.0, 1.0).astype(np.float32),
        moment=moment,
        order=np.where(bought, visit + 1, 0),
        bought=bought,
        visit=visit,
        known=np.ones(count, bool),
        persons=np.arange(int(person.max()) + 1),
        products=np.arange(products) + 1,
    )


if __name__ == "__main__":
    numbers = [int(one.replace("_", "").replace(",", "")) for one in sys.argv[1:]]
    main(*(numbers + [10_000_000, 20_000][len(numbers) :]))
