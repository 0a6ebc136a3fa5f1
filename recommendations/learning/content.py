"""Content neighbours of every product: exact cosines, in chunks of bounded memory."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from django.db import connection

from recommendations.learning.likeness import Catalogue
from recommendations.learning.neighbours import Row, best_of
from recommendations.shelf import shelf

CHUNK = 256


def read_embeddings() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return our ids (n) and the unit vectors (n × 384) of all embedded products, by id."""
    products: list[int] = []
    parts: list[npt.NDArray[np.float32]] = []
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY (SELECT product_id, vector::text FROM catalog_productembedding ORDER BY product_id) TO STDOUT"
        ) as copy,
    ):
        copy.set_types(["int8", "text"])
        for product, vector in copy.rows():
            products.append(product)
            parts.append(np.fromstring(vector[1:-1], np.float32, sep=","))
    return np.array(products, np.int64), np.stack(parts) if parts else np.zeros((0, 384), np.float32)


def catalogue_of(
    products: npt.NDArray[np.int64], embedded: npt.NDArray[np.int64], vectors: npt.NDArray[np.float32]
) -> Catalogue:
    """Return what the shelf says of `products`, with the `vectors` of those that are `embedded` (ids ascending)."""
    known = np.isin(products, embedded)
    placed = np.zeros((len(products), vectors.shape[1]), np.float32)
    placed[known] = vectors[np.searchsorted(embedded, products[known])]
    facts = [shelf.facts(product) for product in products.tolist()]
    return Catalogue(placed, [one.title for one in facts], [one.product_id for one in facts])


def content_neighbours(vectors: npt.NDArray[np.float32], *, most: int) -> Iterator[Row]:
    """Yield each product's nearest others by cosine. Memory: one chunk against all."""
    for start in range(0, len(vectors), CHUNK):
        cosines = (vectors[start : start + CHUNK] @ vectors.T).astype(np.float64)
        for offset in range(len(cosines)):
            values = cosines[offset]
            values[start + offset] = -1
            few = min(most, len(values))
            columns = np.sort(np.argpartition(-values, few - 1)[:few])
            nothing = np.zeros(few, np.int64)
            yield best_of(
                start + offset,
                columns,
                values[columns],
                nothing,
                most=most,
                score=lambda _, __, near, ___: near,
            )
