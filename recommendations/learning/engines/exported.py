"""All folded events on disk, in pieces that fit any memory: written once by COPY, read by executors."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recommendations.decay import DECAY_DAYS, SECONDS_PER_DAY
from recommendations.forward_decay import LANDMARK
from recommendations.learning.engines.parts import PIECE, Ints, Rows, before
from recommendations.learning.events import COMPACT, Events, indexed
from recommendations.learning.reading import FOLDED, RECORD, SELECT, compact, stream, weight_cases

# The same arithmetic as in `forward_decay`, by the same server.
SHARE = f"""
    , COALESCE(
        CASE i.interaction_type {{cases}} END::float8
        * exp(extract(epoch FROM i.occurred_at - '{LANDMARK.isoformat()}'::timestamptz)::float8
            / {DECAY_DAYS * SECONDS_PER_DAY}::float8),
        'NaN'::float8)
"""
WIRE = np.dtype([*((name, RECORD[name]) for name in RECORD.names or ()), ("share_size", ">i4"), ("share", ">f8")])


@dataclass(frozen=True)
class Exported:
    """Pieces of events, at most so many rows each; the ids of the products before `until`, and events by day."""

    pieces: tuple[Path, ...]
    until: float
    events: int
    products: Ints
    by_day: Mapping[int, int]

    def recent(self, *, most: int) -> Events:
        """Return the events of the latest whole days that have no more than `most` together, at least of one."""
        since, held = np.inf, 0
        for day in sorted(self.by_day, reverse=True):
            held += self.by_day[day]
            if held > most and since < np.inf:
                break
            since = day * SECONDS_PER_DAY
        parts = [np.zeros(0, COMPACT)]
        for path in self.pieces:
            rows = before(np.load(path), self.until)
            parts.append(compact(rows[rows["moment"] >= since], COMPACT))
        return indexed(np.concatenate(parts))

    def remove(self) -> None:
        """Delete the pieces."""
        for path in self.pieces:
            path.unlink(missing_ok=True)


def export(folder: Path, *, until: datetime, event_weights: Mapping[str, float], rows_a_piece: int) -> Exported:
    """Write all folded events to new files in `folder`. Memory: two pieces."""
    cases = weight_cases(event_weights)
    statement = SELECT.format(cases=cases, until="infinity", folded=FOLDED, more=SHARE.format(cases=cases))
    pieces: list[Path] = []
    products: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    by_day: Counter[int] = Counter()
    for number, rows in enumerate(_in_pieces(statement, rows_a_piece)):
        path = folder / f"{number:06}.npy"
        np.save(path, rows)
        pieces.append(path)
        learned = before(rows, until.timestamp())
        products = np.union1d(products, learned["product"])
        days, counts = np.unique((learned["moment"] // SECONDS_PER_DAY).astype(np.int64), return_counts=True)
        by_day.update(dict(zip(days.tolist(), counts.tolist(), strict=True)))
    return Exported(tuple(pieces), until.timestamp(), sum(by_day.values()), products, by_day)


def _in_pieces(statement: str, rows_a_piece: int) -> Iterator[Rows]:
    held = np.zeros(0, PIECE)
    for records in stream(statement, WIRE):
        held = np.concatenate([held, compact(records, PIECE)])
        while len(held) >= rows_a_piece:
            yield held[:rows_a_piece]
            held = held[rows_a_piece:]
    if len(held):
        yield held
