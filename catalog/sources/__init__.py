"""Where a catalogue comes from: a file, or the shop's API. Each hands it over page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class SourceError(Exception):
    """The source cannot be read (further); its text says why, without credentials."""


class PageRefusedError(SourceError):
    """The source will not hand over this page, now or later: there is no point in resuming at it."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as it came: where it stands, and its fields by our names, or why it could not even be taken apart."""

    place: str
    fields: Mapping[str, Any] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where to go on after them."""

    rows: list[SourceRow]
    resume_at: str = ""
    fraction: float | None = None


class Source(Protocol):
    """Something that holds a catalogue."""

    @property
    def name(self) -> str:
        """The word after `--source`."""

    @property
    def location(self) -> str:
        """The file or address, without credentials."""

    @property
    def knows_changes(self) -> bool:
        """Whether it can be asked for what changed since a moment."""

    def pages(self, *, updated_since: datetime | None, resume_at: str) -> Iterator[Page]:
        """Yield the pages from `resume_at` on ("": from the start). Raises `SourceError`."""
