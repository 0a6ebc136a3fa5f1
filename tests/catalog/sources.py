"""A catalogue in memory, which can break off."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from catalog.sources import Page, SourceRow


class MemorySource:
    """Pages of products; after `breaks_after` pages it raises, as a crash in the middle would."""

    name = "file"
    location = "memory"
    knows_changes = False

    def __init__(self, *pages: list[Mapping[str, Any]], breaks_after: int | None = None) -> None:
        self._pages = pages
        self._breaks_after = breaks_after

    def pages(self, *, updated_since: datetime | None, resume_at: str) -> Iterator[Page]:
        for number, page in enumerate(self._pages):
            if number == self._breaks_after:
                raise RuntimeError("the power went")
            yield Page([SourceRow(f"page {number} row {place}", fields) for place, fields in enumerate(page)])
