"""All events up to a moment, as arrays: streamed out of PostgreSQL in its binary COPY format, without a Python loop."""

import struct
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from recommendations.learning.events import COMPACT, Events, indexed

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
            {more}
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
    cases = weight_cases(event_weights)
    statement = SELECT.format(cases=cases, until=until.isoformat(), folded=FOLDED if folded_only else "", more="")
    parts = [compact(records, COMPACT) for records in stream(statement, RECORD)]
    return indexed(np.concatenate(parts) if parts else np.zeros(0, COMPACT))


def weight_cases(event_weights: Mapping[str, float]) -> str:
    """Return the cases of SQL's CASE that turn an event's kind into its weight.

    COPY takes no parameters: the kinds are our own constants, and weights are numbers.
    """
    return " ".join(f"WHEN '{kind}' THEN {float(weight)}" for kind, weight in sorted(event_weights.items()))


def stream(statement: str, record: np.dtype[np.void]) -> Iterator[npt.NDArray[np.void]]:
    """Yield what a COPY in binary gives as arrays of `record`, some megabytes each."""
    rest = b""
    header_seen = False
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for chunk in _buffered(copy):
            rest += chunk
            if not header_seen:
                rest, header_seen = rest[HEADER + struct.unpack(">i", rest[15:19])[0] :], True
            whole = len(rest) // record.itemsize * record.itemsize
            yield np.frombuffer(rest[:whole], record)
            rest = rest[whole:]
    if len(rest) != TRAILER:
        raise RuntimeError("The database's event stream ended in the middle of a record.")


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


def compact(records: npt.NDArray[np.void], form: np.dtype[np.void]) -> npt.NDArray[np.void]:
    """Return the records without what the wire's format needs beside them."""
    rows = np.empty(len(records), form)
    for name in form.names or ():
        rows[name] = records[name]
    return rows
