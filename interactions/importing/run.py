"""One import, from the file to the report."""

import json
import re
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from django.db import connection
from django.utils import timezone

from interactions.events import NewInteraction, RefusedError
from interactions.importing.files import CsvRow, EventFile, Row
from interactions.importing.identity import Occurrences, digest_of, event_id_of
from interactions.importing.learned import Learned, PlainRow
from interactions.importing.staging import Line, store
from interactions.services.intake import count_intake
from interactions.services.record import as_json
from interactions.validation import read_interaction

BATCH = 20_000
# So many batches may wait for being stored.
MOST_WAITING = 2
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
    run = _Run(report, file, refused_to)
    # One batch is read while those before it are stored: PostgreSQL keeps its indexes in order on a core of its own.
    with ThreadPoolExecutor(1, "import") as writer:
        try:
            storing: deque[Future[int]] = deque()
            while (lines := run.read_batch()) is not None:
                if len(storing) == MOST_WAITING:
                    _count(report, storing.popleft())
                storing.append(writer.submit(len if dry_run else store, lines))
                report.known += len(lines)
                on_progress(report)
            while storing:
                _count(report, storing.popleft())
        finally:
            writer.submit(_disconnect).result()
            run.close()
            if not dry_run:
                count_intake("import", duplicates=report.known, rejected=report.refused)
    on_progress(report)
    return report


def _count(report: ImportReport, storing: "Future[int]") -> None:
    """Wait for a batch, and move what was new in it from `known` to `stored`."""
    new = storing.result()
    report.stored += new
    report.known -= new


def _disconnect() -> None:
    """Close the calling thread's connection, which nobody else would."""
    connection.close()


class _Unnamed(NamedTuple):
    """A row without an event_id."""

    digest: bytes
    said: str
    user_id: str | None
    session_id: str | None


class _Run:
    """The state of one import: what was refused, and which rows were seen."""

    def __init__(self, report: ImportReport, file: EventFile, refused_to: Path) -> None:
        self._report = report
        self._file = file
        self._rows = file.rows()
        self._learned: Learned | None = None
        self._refused_to = refused_to
        self._refused: IO[str] | None = None
        self._occurrences = Occurrences()
        self._now = timezone.now()

    def close(self) -> None:
        """Close the file of refused rows."""
        if self._refused is not None:
            self._refused.close()

    def read_batch(self) -> list[Line] | None:
        """Read the next rows; return their lines for COPY, or None at the end of the file."""
        lines: list[Line] = []
        unnamed: list[_Unnamed] = []
        before = self._report.rows
        for row in islice(self._rows, BATCH):
            self._report.rows += 1
            plain = self._plain(row)
            if plain is not None:
                said, event_id, user_id, session_id = plain
                identity = said
            elif (read := self._validated(row)) is not None:
                said, event_id, user_id, session_id, identity = read
            else:
                continue
            if event_id is not None:
                lines.append(Line(event_id, f"{_escaped(event_id)}\t{said}", user_id, session_id))
            else:
                unnamed.append(_Unnamed(digest_of(identity), said, user_id, session_id))
        numbers = self._occurrences.number([one.digest for one in unnamed])
        for (digest, said, user_id, session_id), number in zip(unnamed, numbers, strict=True):
            event_id = event_id_of(digest, number)
            lines.append(Line(event_id, f"{event_id}\t{said}", user_id, session_id))
        return lines if self._report.rows > before else None

    def _plain(self, row: Row | CsvRow) -> PlainRow | None:
        """Return the row on the short way, where all its cells are known."""
        if not isinstance(row, CsvRow):
            return None
        if self._learned is None:
            self._learned = Learned(self._file.header, now=self._now)
        return self._learned.row_of(row.cells)

    def _validated(self, row: Row | CsvRow) -> tuple[str, str | None, str | None, str | None, str] | None:
        """Return the row's line, event_id, user, session and identity; None where it was refused."""
        full = self._file.read(row) if isinstance(row, CsvRow) else row
        event = self._read(full)
        if event is None:
            return None
        said = copy_line(event)
        if isinstance(row, CsvRow) and self._learned is not None:
            self._learned.learn(row.cells, event, said)
        # A row without a time gets the import's; its identity must not change with that.
        identity = said if full.data.get("occurred_at") else copy_line(event, moment="")
        return said, event.event_id, event.user_id, event.session_id, identity

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
