"""Files of cases and lists: read in a stream, gzip understood; written whole or not at all."""

import csv
import gzip
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast


class CaseFileError(Exception):
    """A file of cases cannot be read; the message says why."""


@contextmanager
def written_whole(path: Path) -> Iterator[IO[str]]:
    """Yield a text file that appears under `path` when the block ends well, in place of what was there.

    Raises OSError. A block that fails leaves `path` as it was, and nothing beside it.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as handle:
            yield handle
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def column_of(path: Path, names: Sequence[str]) -> Iterator[str]:
    """Yield the values of the first of the columns `names` that the CSV file has, each once, in order, blanks left out.

    Raises `CaseFileError` where it has none of them, or is no UTF-8 text.
    """
    seen: set[str] = set()
    for (value,) in _rows(path, [names]):
        if value and value not in seen:
            seen.add(value)
            yield value


def grouped(path: Path, *, key: str, value: str) -> dict[str, list[str]]:
    """Return the values of each key of a CSV file with these two columns, in the order of the file.

    Raises `CaseFileError` as `column_of` does. The groups are held in memory: their lines need not be neighbours.
    """
    groups: dict[str, list[str]] = {}
    for name, member in _rows(path, [[key], [value]]):
        if name:
            groups.setdefault(name, []).append(member)
    return groups


def _rows(path: Path, columns: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    try:
        with _opened(path) as handle:
            reader = csv.reader(handle)
            head = [name.strip() for name in next(reader, [])]
            places = [_place(path, head, names) for names in columns]
            for row in reader:
                if row:
                    yield [row[place].strip() if place < len(row) else "" for place in places]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise CaseFileError(f"{path} cannot be read: {error}") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast(IO[str], gzip.open(path, "rt", newline="", encoding="utf-8-sig"))
    return path.open(newline="", encoding="utf-8-sig")


def _place(path: Path, head: Sequence[str], names: Sequence[str]) -> int:
    for name in names:
        if name in head:
            return head.index(name)
    raise CaseFileError(f"{path} has no column {' or '.join(names)}; its first line must name the columns.")
