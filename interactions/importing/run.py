"""One import, from the file to the report."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from django.db import connection
from django.utils import timezone

from interactions.events import NewInteraction, RefusedError
from interactions.importing.files import EventFile, Row
from interactions.importing.identity import Occurrences, digest_of, event_id_of
from interactions.importing.staging import Line, store
from interactions.services.record import as_json
from interactions.validation import read_interaction

BATCH = 20_000
EXAMPLES_PER_REASON = 3
_SPECIAL = re.compile(r"[\\\t\n\r]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(slots=True)
class ImportReport:
    """What an import has done so far. `reasons` counts the refused rows, `examples` are lines of each."""

    rows: int = 0
    stored: int = 0
    known: int = 0
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[int]] = field(default_factory=dict)


def import_interactions(
    *,
    file: EventFile,
    refused_to: Path,
    dry_run: bool = False,
    on_progress: Callable[[ImportReport], None] = lambda report: None,
) -> ImportReport:
    """Store every good row of `file` once, in batches of one transaction each, and write the others to `refused_to`.

    May be killed anywhere and run again: what is stored is then known. The file `refused_to` (JSON lines: line,
    reasons, row) is made only if a row is refused. Raises `UnreadableFileError` where the file is damaged; the batches
    before that stay. With `dry_run` nothing is stored, and `stored` counts what would have been looked at.
    """
    report = ImportReport()
    run = _Run(report, refused_to)
    rows = file.rows()
    # One batch is read while the one before it is stored: Python and PostgreSQL have a core each.
    with ThreadPoolExecutor(1, "import") as writer:
        try:
            storing: Future[int] | None = None
            while (lines := run.read_batch(rows)) is not None:
                _count(report, storing)
                storing = writer.submit(len if dry_run else store, lines)
                report.known += len(lines)
                on_progress(report)
            _count(report, storing)
        finally:
            writer.submit(_disconnect).result()
            run.close()
    on_progress(report)
    return report


def _count(report: ImportReport, storing: "Future[int] | None") -> None:
    """Wait for a batch, and move what was new in it from `known` to `stored`."""
    if storing is not None:
        new = storing.result()
        report.stored += new
        report.known -= new


def _disconnect() -> None:
    """Close the calling thread's connection, which nobody else would."""
    connection.close()


class _Run:
    """The state of one import: what was refused, and which rows were seen."""

    def __init__(self, report: ImportReport, refused_to: Path) -> None:
        self._report = report
        self._refused_to = refused_to
        self._refused: IO[str] | None = None
        self._occurrences = Occurrences()
        self._now = timezone.now()

    def close(self) -> None:
        """Close the file of refused rows."""
        if self._refused is not None:
            self._refused.close()

    def read_batch(self, rows: Iterator[Row]) -> list[Line] | None:
        """Read the next rows; return their lines for COPY, or None at the end of the file."""
        lines: list[Line] = []
        unnamed: list[tuple[bytes, str, NewInteraction]] = []
        before = self._report.rows
        for row in islice(rows, BATCH):
            self._report.rows += 1
            event = self._read(row)
            if event is None:
                continue
            said = copy_line(event)
            if event.event_id is not None:
                text = f"{_escaped(event.event_id)}\t{said}"
                lines.append(Line(event.event_id, text, event.user_id, event.session_id))
            else:
                # A row without a time gets the import's; its identity must not change with that.
                identity = said if row.data.get("occurred_at") else copy_line(event, moment="")
                unnamed.append((digest_of(identity), said, event))
        numbers = self._occurrences.number([digest for digest, _, _ in unnamed])
        for (digest, said, event), number in zip(unnamed, numbers, strict=True):
            event_id = event_id_of(digest, number)
            lines.append(Line(event_id, f"{event_id}\t{said}", event.user_id, event.session_id))
        return lines if self._report.rows > before else None

    def _read(self, row: Row) -> NewInteraction | None:
        if row.unreadable is not None:
            self._refuse(row, [row.unreadable], [row.unreadable.partition(":")[0]])
            return None
        try:
            return read_interaction(row.data, now=self._now)
        except RefusedError as refused:
            told = [f"{problem.attr or 'row'}: {problem.detail}" for problem in refused.problems]
            self._refuse(row, told, told)
            return None

    def _refuse(self, row: Row, told: list[str], reasons: list[str]) -> None:
        self._report.refused += 1
        for reason in reasons:
            self._report.reasons[reason] += 1
            lines = self._report.examples.setdefault(reason, [])
            if len(lines) < EXAMPLES_PER_REASON:
                lines.append(row.line)
        if self._refused is None:
            self._refused = self._refused_to.open("w", encoding="ascii")
        self._refused.write(json.dumps({"line": row.line, "reasons": told, "row": row.data}, default=str) + "\n")


def copy_line(event: NewInteraction, *, moment: str | None = None) -> str:
    """Return the event in COPY's text format, without its event_id: the columns of `staging.COLUMNS` after the first.

    `moment`, where given, stands for the time.
    """
    return (
        "\t".join(
            (
                event.interaction_type,
                _cell(event.user_id),
                _cell(event.session_id),
                _cell(event.product_id),
                event.occurred_at.isoformat() if moment is None else moment,
                "\\N" if event.quantity is None else str(event.quantity),
                "\\N" if event.unit_price is None else str(event.unit_price),
                event.currency,
                _cell(event.order_id),
                event.recommendation_context,
                "\\N" if event.recommendation_position is None else str(event.recommendation_position),
                "\\N" if event.recommendation_request_id is None else str(event.recommendation_request_id),
                _escaped(event.search_query),
                _escaped(as_json(event)) if event.extra_data else "{}",
            )
        )
        + "\n"
    )


def _cell(value: str | None) -> str:
    return "\\N" if value is None else _escaped(value)


def _escaped(value: str) -> str:
    return value.translate(_ESCAPES) if _SPECIAL.search(value) else value
