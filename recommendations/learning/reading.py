"""All events up to a moment, as arrays: streamed out of PostgreSQL in its binary COPY format, without a Python loop."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from recommendations.learning.events import Events

# Persons and orders travel as 64-bit hashes of their ids: among a million, two collide with a chance of 3 in 10⁸.
SELECT = """
    COPY (
        SELECT hashtextextended(COALESCE('u:' || i.user_id, 's:' || i.session_id), 0),
            p.id,
            CASE i.interaction_type {cases} ELSE 0 END::float8,
            extract(epoch FROM i.occurred_at)::float8,
            CASE WHEN i.interaction_type = 'purchase' THEN COALESCE(hashtextextended(i.order_id, 1), 0) ELSE 0 END,
            (i.interaction_type = 'purchase')::int::int8,
            hashtextextended(COALESCE('o:' || i.order_id, COALESCE('u:' || i.user_id, 's:' || i.session_id) || '/' ||
                COALESCE(i.session_id, (i.occurred_at AT TIME ZONE 'UTC')::date::text)), 2),
            (i.user_id IS NOT NULL)::int::int8
        FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
        WHERE i.occurred_at < '{until}'::timestamptz {folded}
    ) TO STDOUT (FORMAT binary)
"""
FOLDED = "AND NOT EXISTS (SELECT FROM fresh_interactions f WHERE f.interaction_id = i.id)"
HEADER = 19  # bytes: the signature, flags and extension length of binary COPY
TRAILER = 2  # bytes: the field count −1 that ends it
FIELD = [("size", ">i4"), ("value", ">i8")]
RECORD = np.dtype(
    [
        ("fields", ">i2"),
        ("person_size", ">i4"), ("person", ">i8"),
        ("product_size", ">i4"), ("product", ">i8"),
        ("weight_size", ">i4"), ("weight", ">f8"),
        ("moment_size", ">i4"), ("moment", ">f8"),
        ("order_size", ">i4"), ("order", ">i8"),
        ("bought_size", ">i4"), ("bought", ">i8"),
        ("visit_size", ">i4"), ("visit", ">i8"),
        ("known_size", ">i4"), ("known", ">i8"),
    ]
)  # fmt: skip


def read_events(*, until: datetime, event_weights: Mapping[str, float], folded_only: bool = False) -> Events:
    """Return every event with a known product before `until`. Memory: about 50 bytes an event.

    With `folded_only`, those that wait to be folded are left out: folding counts them beside what is learned now.
    """
    # COPY takes no parameters: the kinds are our own constants, and weight and moment are numbers of our making.
    cases = " ".join(f"WHEN '{kind}' THEN {float(weight)}" for kind, weight in sorted(event_weights.items()))
    statement = SELECT.format(cases=cases, until=until.isoformat(), folded=FOLDED if folded_only else "")
    parts: list[npt.NDArray[np.void]] = []
    rest = b""
    header_seen = False
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in _buffered(copy):
            rest += chunk
            if not header_seen:
                rest, header_seen = rest[HEADER + struct.unpack(">i", rest[15:19])[0] :], True
            whole = len(rest) // RECORD.itemsize * RECORD.itemsize
            parts.append(_compact(np.frombuffer(rest[:whole], RECORD)))
            rest = rest[whole:]
    if len(rest) != TRAILER:
        raise RuntimeError("The database's event stream ended in the middle of a record.")
    return _indexed(np.concatenate(parts) if parts else _compact(np.zeros(0, RECORD)))


COMPACT = np.dtype(
    [
        ("person", "i8"),
        ("product", "i8"),
        ("weight", "f4"),
        ("moment", "f8"),
        ("order", "i8"),
        ("bought", "?"),
        ("visit", "i8"),
        ("known", "?"),
    ]
)


def _buffered(copy: Iterable[Any], size: int = 4_000_000) -> Iterator[bytes]:
    """Join the small pieces that the driver yields into large ones."""
    gathered: list[bytes] = []
    held = 0
    for piece in copy:
        gathered.append(bytes(piece))
        held += len(gathered[-1])
        if held >= size:
            yield b"".join(gathered)
            gathered, held = [], 0
    yield b"".join(gathered)


def _compact(records: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    compact = np.empty(len(records), COMPACT)
    for name in COMPACT.names or ():
        compact[name] = records[name]
    return compact


def _indexed(rows: npt.NDArray[np.void]) -> Events:
    persons, person = np.unique(rows["person"], return_inverse=True)
    products, product = np.unique(rows["product"], return_inverse=True)
    return Events(
        person=person.astype(np.int32),
        product=product.astype(np.int32),
        weight=rows["weight"].copy(),
        moment=rows["moment"].copy(),
        order=rows["order"].copy(),
        bought=rows["bought"].copy(),
        visit=rows["visit"].copy(),
        known=rows["known"].copy(),
        persons=persons,
        products=products,
    )
