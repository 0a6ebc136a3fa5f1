"""This process' copy of all embeddings, by slot of the shelf: what is near is found exactly, and without a query.

Up to 20,000 products the matrix is multiplied with the target, in less than a millisecond. Beyond, their principal
components are searched first, as numbers of eight bits: a twelfth of the memory to read. The best thousand are
compared exactly. Where filters leave few products, only these are compared.
Shops above `REEMIO_VECTORS_IN_MEMORY` products keep nothing here; pgvector answers for them.
"""

import threading
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection

from recommendations.contracts import Ids, Scores
from recommendations.marks import RESTAMP, UNSEEN, Mark
from recommendations.shelf import shelf
from recommendations.sums import DIMENSIONS
from reemio.database.prepared import fetch

COARSE_FROM = 20_000
# How many the coarse search hands over for the exact comparison, at least.
COMPARED = 1_000
# Where filters leave fewer than one in so many products, these are picked out and compared at once.
FEW = 8
# The coarse search keeps as many principal components as hold this share of the variance, learned from so many vectors.
VARIANCE, SAMPLE = 0.9, 10_000
ROWS_AT_ONCE = 5_000

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]

SNAPSHOT = "SELECT pg_current_snapshot()::text, count(*) FROM catalog_productembedding"
LOAD = """
    SELECT product_id, vector_send(vector) FROM catalog_productembedding
    WHERE product_id > %s::bigint ORDER BY product_id LIMIT %s::int
"""
CATCH_UP = f"""
    SELECT pg_current_snapshot()::text, e.product_id, vector_send(e.vector) FROM (VALUES (1)) AS once
    LEFT JOIN catalog_productembedding e ON {UNSEEN.format(alias="e")}
"""  # noqa: S608  constants
VECTORS = "SELECT product_id, vector_send(vector) FROM catalog_productembedding WHERE product_id = ANY(%s::bigint[])"


class Vectors:
    """The embeddings of all products at unit length. Safe to share among threads.

    A row is replaced in place: a request at that very moment may see half of either vector, of that one product.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded = False
        self._mark: Mark | None = None
        self._matrix: Matrix = np.zeros((0, DIMENSIONS), np.float32)
        self._known = np.zeros(0, bool)
        self._coarse: Coarse | None = None

    def clear(self) -> None:
        """Forget everything; the next question loads it again."""
        self.__init__()  # type: ignore[misc]  # a fresh start is what is meant

    def mark(self) -> Mark | None:
        """Return how far this copy reaches, None where none is held; loads the vectors at the first question."""
        if not self._loaded:
            with self._lock:
                if not self._loaded:
                    self._load()
        return self._mark

    @property
    def are_held(self) -> bool:
        """Tell whether this process holds the vectors: whether they are not too many."""
        return self.mark() is not None

    def refresh(self) -> None:
        """Bring the vectors up to date with what this connection can see. One query."""
        with self._lock:
            if self._mark is None:
                return
            with connection.cursor() as cursor:
                # Not a prepared statement: with the values known, only the few rows that changed are looked at.
                cursor.execute(CATCH_UP, self._mark.parameters())
                rows = cursor.fetchall()
            self._put([(product, bytes(vector)) for _, product, vector in rows if product is not None])
            self._mark = Mark(rows[0][0])

    def nearest(
        self, target: npt.NDArray[np.floating], allowed: npt.NDArray[np.bool_], count: int
    ) -> tuple[Ids, Scores]:
        """Return the slots and cosines of the `count` nearest products to `target` (384), in no order.

        `allowed` says for each slot of the shelf whether it may be among them.
        """
        size = min(len(allowed), len(self._known))
        usable = allowed[:size] & self._known[:size]
        unit = target / np.linalg.norm(target)
        places: Ids = np.flatnonzero(usable)
        if self._coarse is None and len(places) * FEW > size:
            cosines = (self._matrix[:size] @ unit)[places]
        else:
            if self._coarse is not None and len(places) * FEW > size:
                rough = self._coarse.scores(unit)[:size]
                places = places[_largest(rough[places], max(COMPARED, 3 * count))]
            cosines = self._matrix[places] @ unit
        found = _largest(cosines, count)
        # Rounded, so that equal vectors are equal, wherever they stand in the matrix.
        best: Scores = cosines[found].astype(np.float64)
        return places[found], np.round(best, 6)

    def of(self, products: Iterable[int]) -> dict[int, Vector]:
        """Return the vectors of those products that have one, by our id. A query where this process holds none."""
        asked = list(products)
        if not self.are_held:
            return {product: _parsed(vector) for product, vector in fetch(VECTORS, [asked])}
        slots = shelf.slots_of(asked)
        known = (slots >= 0) & (slots < len(self._known))
        known[known] = self._known[slots[known]]
        return {product: self._matrix[slot] for product, slot, one in zip(asked, slots, known, strict=True) if one}

    def _load(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(RESTAMP.format(table="catalog_productembedding"))
            cursor.execute(SNAPSHOT)
            snapshot, count = cursor.fetchone()
        held, last = count <= settings.REEMIO_VECTORS_IN_MEMORY, 0
        while held and (rows := fetch(LOAD, [last, ROWS_AT_ONCE])):
            self._put(rows)
            last = rows[-1][0]
        self._coarse = _coarse(self._matrix, self._known)
        self._mark = Mark(snapshot) if held else None
        self._loaded = True

    def _put(self, rows: list[tuple[int, bytes]]) -> None:
        if not rows:
            return
        slots = shelf.slots_of([product for product, _ in rows])
        if slots.min() < 0 or len(shelf) > len(self._known):
            shelf.refresh()
            slots = shelf.slots_of([product for product, _ in rows])
            self._grow(len(shelf))
        numbers = np.frombuffer(b"".join(vector for _, vector in rows), np.uint8).reshape(len(rows), -1)
        vectors = numbers[:, 4:].copy().view(">f4").astype(np.float32)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        self._matrix[slots] = vectors
        if self._coarse is not None:
            self._coarse.put(slots, vectors)
        self._known[slots] = True

    def _grow(self, size: int) -> None:
        """Make room, and some more, in new arrays: a reader in another thread keeps the ones it took."""
        if size <= len(self._known):
            return
        room = size + size // 8
        matrix, known = np.zeros((room, DIMENSIONS), np.float32), np.zeros(room, bool)
        matrix[: len(self._known)], known[: len(self._known)] = self._matrix, self._known
        coarse = _coarse(matrix, known) if self._loaded else None
        self._matrix, self._coarse, self._known = matrix, coarse, known


class Coarse:
    """The principal components of the same vectors rounded to eight bits, each row with a scale of its own."""

    def __init__(self, matrix: Matrix, known: npt.NDArray[np.bool_]) -> None:
        # Only large shops need it, and importing takes a second; web processes have loaded it for search anyway.
        import torch

        self._axes = principal_axes(matrix[known])
        self._numbers = np.zeros((len(matrix), self._axes.shape[1]), np.int8)
        self._scales = np.zeros(len(matrix), np.float32)
        self._tensor = torch.from_numpy(self._numbers)
        self._torch: Any = torch
        for start in range(0, len(matrix), ROWS_AT_ONCE):
            self.put(np.arange(start, min(start + ROWS_AT_ONCE, len(matrix))), matrix[start : start + ROWS_AT_ONCE])

    def put(self, slots: Ids, vectors: Matrix) -> None:
        """Replace rows."""
        components = vectors @ self._axes
        scales = np.maximum(np.abs(components).max(axis=1, initial=0.0), 1e-12) / 127
        self._numbers[slots] = np.rint(components / scales[:, None]).astype(np.int8)
        self._scales[slots] = scales

    def scores(self, unit: Vector) -> npt.NDArray[np.float32]:
        """Return what each row's product with `unit` (384) is, up to a factor and to what was rounded off."""
        components = unit @ self._axes
        rounded = np.rint(components * (127 / max(np.abs(components).max(), 1e-12))).astype(np.int8)
        products = self._torch._int_mm(self._tensor, self._torch.from_numpy(rounded[:, None].copy()))
        return cast("npt.NDArray[np.float32]", products.numpy()[:, 0] * self._scales)


def _coarse(matrix: Matrix, known: npt.NDArray[np.bool_]) -> Coarse | None:
    return Coarse(matrix, known) if len(matrix) >= COARSE_FROM else None


def principal_axes(vectors: Matrix) -> Matrix:
    """Return the directions (384 × d) in which unit vectors differ most: as many as hold 90 % of their variance.

    Not centred, since it is the product with them that shall be kept. d is a multiple of 32, which suits the processor.
    """
    sample = vectors[:: max(len(vectors) // SAMPLE, 1)]
    variance, axes = np.linalg.eigh(sample.T @ sample)
    held = np.cumsum(variance[::-1]) / max(float(variance.sum()), 1e-12)
    kept = min(-(-(int(np.searchsorted(held, VARIANCE)) + 1) // 32) * 32, DIMENSIONS)
    return np.ascontiguousarray(axes[:, ::-1][:, :kept], dtype=np.float32)


def _largest(scores: npt.NDArray[np.float32], count: int) -> Ids:
    """Return the places of the `count` largest scores, in no order."""
    if count >= len(scores):
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - count)[len(scores) - count :]


def _parsed(vector: bytes) -> Vector:
    return np.frombuffer(vector, ">f4", offset=4).astype(np.float32)


vectors = Vectors()
