"""A catalogue in a file: CSV with a header, or JSON lines; either may be gzipped. Read as a stream."""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from catalog.sources import Page, SourceError, SourceRow

ROWS_PER_PAGE = 1000
LONGEST_LINE = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
REQUIRED = ("product_id", "title")


class FileSource:
    """The file at `path`; what it is, is told from its first bytes."""

    name = "file"
    knows_changes = False

    def __init__(self, path: Path) -> None:
        """Name the file; it is opened when it is read."""
        self.path = path
        self.location = str(path)

    def pages(self, *, updated_since: datetime | None, resume_at: str) -> Iterator[Page]:
        """Yield the whole file, a thousand rows at a time; a file is quick to read, so it always starts at the top."""
        try:
            size = self.path.stat().st_size or 1
            with self.path.open("rb") as raw, _text(raw) as lines:
                rows = _rows(lines)
                while page := list(islice(rows, ROWS_PER_PAGE)):
                    yield Page(page, fraction=min(raw.tell() / size, 1.0))
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{self.path}: {error}") from error


def _text(raw: BinaryIO) -> io.TextIOWrapper:
    packed = raw.read(2) == GZIP_MAGIC
    raw.seek(0)
    binary = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if packed else raw
    # Bytes that are not UTF-8 survive as lone surrogates, so that the row they stand in is refused, not the file.
    return io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _rows(handle: io.TextIOWrapper) -> Iterator[SourceRow]:
    first = handle.readline(LONGEST_LINE)
    lines = _lines(handle, first)
    return _json_lines(lines) if first.lstrip().startswith("{") else _csv(lines)


def _lines(handle: io.TextIOWrapper, first: str) -> Iterator[str]:
    """Yield the lines; one that is too long is cut, so that it is refused instead of filling the memory."""
    line = first
    while line:
        yield line
        while len(line) == LONGEST_LINE and not line.endswith("\n"):
            line = handle.readline(LONGEST_LINE)
        line = handle.readline(LONGEST_LINE)


def _csv(lines: Iterator[str]) -> Iterator[SourceRow]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(lines)
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise SourceError(f"The header has no column {' and no column '.join(missing)}.")
    while True:
        place = f"line {reader.line_num + 1}"
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SourceRow(place, None, str(error))
            continue
        if not cells:
            continue
        fields = dict(zip(header, cells, strict=False))
        if len(cells) == len(header):
            yield SourceRow(place, fields)
        else:
            yield SourceRow(place, None, f"{len(cells)} cells, but the header has {len(header)}")


def _json_lines(lines: Iterator[str]) -> Iterator[SourceRow]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            value: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield SourceRow(place, None, f"not valid JSON: {error}")
            continue
        if isinstance(value, dict):
            yield SourceRow(place, value)
        else:
            yield SourceRow(place, None, "not a JSON object")
