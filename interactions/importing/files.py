"""Reading a file of events: CSV with a header or JSON lines, plain or gzipped, one row at a time."""

import csv
import gzip
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, NoReturn, cast

from interactions.validation import EXTRA_NUMBERS

FIELDS = frozenset(
    {
        "interaction_type", "user_id", "session_id", "product_id", "event_id", "occurred_at", "quantity",
        "unit_price", "currency", "order_id", "recommendation_context", "recommendation_position",
        "recommendation_request_id", "search_query",
    }
)  # fmt: skip
_NUMBERS = frozenset({"quantity", "recommendation_position"})
_EXTRA_NUMBERS = frozenset(EXTRA_NUMBERS)
_LONGEST_CELL = 1024 * 1024


class UnreadableFileError(Exception):
    """The file as a whole cannot be understood."""


class Row(NamedTuple):
    """One row: the line where it ends, what it says, or why it cannot be read."""

    line: int
    data: dict[str, Any]
    unreadable: str | None = None


class CsvRow(NamedTuple):
    """A row of a CSV file with as many cells as its header has; `EventFile.read` tells what it says."""

    line: int
    cells: Sequence[str]


class EventFile:
    """An open file of events. `position` of `size` bytes have been read from the disk, for a progress bar.

    `header` names the columns of a CSV file, once `rows` has begun; it is empty for JSON lines.
    """

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb")
        self.size = path.stat().st_size
        zipped = self._raw.peek(2)[:2] == b"\x1f\x8b"
        plain = cast("IO[bytes]", gzip.GzipFile(fileobj=self._raw)) if zipped else self._raw
        # Bytes that are no UTF-8 become lone surrogates, which are refused with their row and no other.
        self._text = io.TextIOWrapper(plain, "utf-8-sig", errors="surrogateescape", newline="")
        self.header: Sequence[str] = ()

    @property
    def position(self) -> int:
        """How many bytes of the file have been read."""
        return self._raw.tell()

    def close(self) -> None:
        """Close the file."""
        self._text.close()
        self._raw.close()

    def rows(self) -> Iterator[Row | CsvRow]:
        """Yield every row; raise `UnreadableFileError` where the whole is damaged or has no usable header."""
        try:
            start = self._text.readline()
            if start.lstrip().startswith("{"):
                yield from _json_rows(start, self._text)
            else:
                reader = csv.reader(_chain(start, self._text))
                self.header = _header(reader)
                yield from _csv_rows(reader, len(self.header))
        except (EOFError, OSError) as error:
            raise UnreadableFileError(f"The file is damaged: {error}") from error

    def read(self, row: CsvRow) -> Row:
        """Return what a CSV row says, by the names of the columns; empty cells say nothing."""
        data: dict[str, Any] = {name: cell for name, cell in zip(self.header, row.cells, strict=True) if cell}
        for name in _NUMBERS & data.keys():
            data[name] = _as_number(data[name])
        return Row(row.line, data) if FIELDS.issuperset(self.header) else _with_extra(row.line, data)


def _json_rows(start: str, rest: IO[str]) -> Iterator[Row]:
    for number, line in enumerate(_chain(start, rest), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            yield Row(number, {"line": line}, f"Not JSON: {error}")
            continue
        if isinstance(data, dict):
            yield Row(number, _with_unknown_inside(data))
        else:
            yield Row(number, {"line": line}, "Not a JSON object.")


def _header(reader: Iterator[list[str]]) -> list[str]:
    csv.field_size_limit(_LONGEST_CELL)
    header = [name.strip() for name in next(reader, [])]
    if "interaction_type" not in header or not {"user_id", "session_id"} & set(header):
        raise UnreadableFileError("The header must name interaction_type, and user_id or session_id.")
    if len(set(header)) < len(header):
        raise UnreadableFileError("The header names a column twice.")
    return header


def _csv_rows(reader: Any, columns: int) -> Iterator[Row | CsvRow]:
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, {}, f"Not CSV: {error}")
            continue
        if len(cells) == columns:
            yield CsvRow(reader.line_num, cells)
        elif cells:
            yield Row(reader.line_num, {"cells": cells}, f"Not {columns} columns, as the header names.")


def _with_extra(line: int, data: dict[str, Any]) -> Row:
    """Parse the column extra_data, and put unknown columns into it."""
    if "extra_data" in data:
        try:
            data["extra_data"] = json.loads(data["extra_data"], parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            return Row(line, data, f"extra_data is not JSON: {error}")
    for name in _EXTRA_NUMBERS & data.keys():
        data[name] = _as_number(data[name])
    return Row(line, _with_unknown_inside(data))


def _with_unknown_inside(data: dict[str, Any]) -> dict[str, Any]:
    unknown = {name: data[name] for name in data.keys() - FIELDS if name != "extra_data"}
    extra = data.get("extra_data") or {}
    if not unknown or not isinstance(extra, dict):
        return data
    known = {name: value for name, value in data.items() if name in FIELDS}
    return {**known, "extra_data": {**dict(sorted(unknown.items())), **extra}}


def _as_number(cell: str) -> int | str:
    """Return the whole number that a cell holds; what is none stays as it is, and is refused by its name."""
    try:
        return int(cell) if cell.isascii() else cell
    except ValueError:
        return cell


def _chain(start: str, rest: IO[str]) -> Iterator[str]:
    if start:
        yield start
    yield from rest


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
