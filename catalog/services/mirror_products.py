"""Bring products into the mirror, many at a time."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction

from catalog.models import Product
from catalog.rows import FIELDS, ProductRow

BATCH = 1000

_TYPES = {
    "price": "numeric", "stock_quantity": "integer", "is_active": "boolean", "attributes": "jsonb",
}  # fmt: skip
_COLUMNS = ", ".join(FIELDS)
_CONTENT = [name for name in FIELDS if name != "product_id"]
_TABLE = Product._meta.db_table


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _CONTENT)


# One ordered pass: whoever writes the same products at the same time waits in the same order, so nobody deadlocks.
# Rows that say nothing new are left out before the insert, which would otherwise lock, and so rewrite, each of them.
UPSERT = f"""
WITH pushed AS (
    SELECT * FROM unnest({", ".join(f"%s::{_TYPES.get(name, 'text')}[]" for name in FIELDS)}) AS pushed({_COLUMNS})
), written AS (
    INSERT INTO {_TABLE} AS mirror ({_COLUMNS}, created_at, updated_at)
    SELECT pushed.product_id, {_of("pushed")}, statement_timestamp(), statement_timestamp()
    FROM pushed LEFT JOIN {_TABLE} known USING (product_id)
    WHERE known.id IS NULL OR ({_of("known")}) IS DISTINCT FROM ({_of("pushed")})
    ORDER BY pushed.product_id
    ON CONFLICT (product_id) DO UPDATE
    SET ({", ".join(_CONTENT)}) = ROW ({_of("excluded")}), updated_at = statement_timestamp()
    WHERE ({_of("mirror")}) IS DISTINCT FROM ({_of("excluded")})
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
"""  # noqa: S608  made of our own column names


@dataclass(frozen=True, slots=True)
class MirrorCounts:
    """What became of the rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "MirrorCounts") -> "MirrorCounts":
        return MirrorCounts(self.new + other.new, self.changed + other.changed, self.unchanged + other.unchanged)


def mirror_products(rows: Iterable[ProductRow], *, batch_size: int = BATCH) -> MirrorCounts:
    """Insert or update `rows`, streaming; of a product that comes twice the last row holds. Returns the counts.

    Each batch is a transaction (or a part of the caller's). Triggers note restocks and texts to embed in it.
    Any number may run side by side.
    """
    counts = MirrorCounts()
    for batch in _batches(rows, batch_size):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(UPSERT, [[_stored(row, name) for row in batch] for name in FIELDS])
            new, changed = cursor.fetchone()
        counts += MirrorCounts(new, changed, len(batch) - new - changed)
    return counts


def _batches(rows: Iterable[ProductRow], size: int) -> Iterator[list[ProductRow]]:
    """Cut `rows` into batches in which no product comes twice: one statement cannot write a row two times."""
    batch: dict[str, ProductRow] = {}
    for row in rows:
        if len(batch) == size or row.product_id in batch:
            yield list(batch.values())
            batch = {}
        batch[row.product_id] = row
    if batch:
        yield list(batch.values())


def _stored(row: ProductRow, name: str) -> object:
    value = getattr(row, name)
    return json.dumps(value) if name == "attributes" else value
