"""What the cells of a file become in the table, learned column by column from rows that were found good.

A shop's file repeats itself: the same people, products and amounts, row after row. What a cell of a plain row becomes
depends on that cell alone. So a row is good all of whose cells stood in good rows before, or are ids of plain ASCII or
times, and its line is put together from what they became. Every other row is read by `interactions.validation`, which
alone decides.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from interactions.events import NewInteraction, Problem
from interactions.models import InteractionType
from interactions.validation import LONGEST_EVENT_ID, LONGEST_ID, read_moment

# Kinds that ask for a person and a product, and for nothing else.
PLAIN_KINDS = {
    InteractionType.VIEW.value,
    InteractionType.CART_ADD.value,
    InteractionType.CART_REMOVE.value,
    InteractionType.WISHLIST_ADD.value,
    InteractionType.PURCHASE.value,
}
# The columns of a plain row, in the order of the table's; what an absent one becomes; what may not be empty.
COLUMNS = {
    "interaction_type": "", "user_id": "\\N", "session_id": "\\N", "product_id": "", "occurred_at": "",
    "quantity": "\\N", "unit_price": "\\N", "currency": "", "order_id": "\\N",
}  # fmt: skip
REQUIRED = ("interaction_type", "product_id", "occurred_at")
# The columns after them, in a plain row: context, position, request id, search query, extra data.
REST = ["", "\\N", "\\N", "", "{}\n"]
# So many different cells of a column are remembered: some 100 MB in all, at most.
MOST = 100_000


class PlainRow(NamedTuple):
    """A good row: what it says, as `copy_line` would write it, its event_id if it has one, and whose it is."""

    said: str
    event_id: str | None
    user_id: str | None
    session_id: str | None


class Learned:
    """What is known of the columns of one CSV file."""

    def __init__(self, header: Sequence[str], *, now: datetime) -> None:
        names = list(COLUMNS)
        self._now = now
        self._new = {names.index("occurred_at"): self._time, names.index("product_id"): _required_id}
        self._new |= {names.index(name): _optional_id for name in ("user_id", "session_id", "order_id")}
        self._absent = list(COLUMNS.values())
        self._columns: list[tuple[int, int, dict[str, str]]] = [
            (names.index(name), place, {}) for place, name in enumerate(header) if name in COLUMNS
        ]
        self._others = [place for place, name in enumerate(header) if name not in COLUMNS and name != "event_id"]
        self._places = {name: place for place, name in enumerate(header)}
        self._usable = all(name in header for name in REQUIRED)

    def row_of(self, cells: Sequence[str]) -> PlainRow | None:
        """Return what these cells make together; None where one of them is new, or the row is not a plain one."""
        if not self._usable:
            return None
        for place in self._others:
            if cells[place]:
                return None
        became = self._absent.copy()
        for column, place, known in self._columns:
            cell = cells[place]
            one = known.get(cell)
            if one is None:
                one = self._new[column](cell) if column in self._new else None
                if one is None:
                    return None
                self._remember(known, cell, one)
            became[column] = one
        user_id, session_id = self._cell("user_id", cells), self._cell("session_id", cells)
        event_id = self._cell("event_id", cells)
        if (user_id is None and session_id is None) or (
            event_id is not None and not _is_plain(event_id, LONGEST_EVENT_ID)
        ):
            return None
        return PlainRow("\t".join(became + REST), event_id, user_id, session_id)

    def learn(self, cells: Sequence[str], event: NewInteraction, said: str) -> None:
        """Remember what the cells of this good row became: `said` is its line."""
        if not self._usable or event.interaction_type not in PLAIN_KINDS or self._cell("occurred_at", cells) is None:
            return
        if any(cells[place] for place in self._others):
            return
        became = said.split("\t")
        for column, place, known in self._columns:
            self._remember(known, cells[place], became[column])

    def _remember(self, known: dict[str, str], cell: str, became: str) -> None:
        if len(known) >= MOST:
            known.clear()
        known[cell] = became

    def _time(self, cell: str) -> str | None:
        wrong: list[Problem] = []
        moment = read_moment(cell, self._now, wrong)
        return None if wrong else moment.isoformat()

    def _cell(self, name: str, cells: Sequence[str]) -> str | None:
        place = self._places.get(name)
        return None if place is None else cells[place] or None


def _optional_id(cell: str) -> str | None:
    return _required_id(cell) if cell else "\\N"


def _required_id(cell: str) -> str | None:
    return cell if _is_plain(cell, LONGEST_ID) else None


def _is_plain(text: str, longest: int) -> bool:
    """Tell whether an id is good and can be written as it is."""
    return 0 < len(text) <= longest and text.isascii() and text.isprintable() and "\\" not in text
