"""Tables of pages: rows are read when they are drawn, in the order that the address asks for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from analytics.definitions import Rate
from analytics.pages.cells import Cell, Column, Row, cell
from analytics.pages.parts import Empty

SHOWN = 50
NOTHING = Empty("Nothing in this period.")


@dataclass(frozen=True, slots=True)
class Order:
    """By which column, and which way."""

    key: str
    descending: bool = True

    def __str__(self) -> str:
        return f"-{self.key}" if self.descending else self.key


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a page. As many rows as `shown` are drawn; a CSV file has every one.

    `read` takes how many rows are wanted (None: all). A `ranked` table comes in the one order that means something;
    any other is sorted here, and so has to be read whole.
    """

    name: str
    caption: str
    columns: Sequence[Column]
    read: Callable[[int | None], Iterable[Row]]
    order: Order | None = None
    empty: Empty = NOTHING
    shown: int = SHOWN
    note: str = ""
    ranked: bool = False

    def rows(self, order: Order | None = None, *, most: int | None = None) -> Iterable[Row]:
        """Return the rows, at least `most` of them: as they are read, or in the asked order, without a value last."""
        chosen = order or self.order
        if self.ranked or chosen is None:
            return self.read(most if self.ranked else None)
        with_value: list[Row] = []
        without: list[Row] = []
        for row in self.read(None):
            (without if _sortable(row.get(chosen.key)) is None else with_value).append(row)
        with_value.sort(key=lambda row: _sortable(row[chosen.key]), reverse=chosen.descending)
        return with_value + without

    def order_of(self, text: str) -> Order | None:
        """Return the order that the address asks for, or the table's own."""
        key = text.removeprefix("-")
        if not self.ranked and any(column.key == key for column in self.columns):
            return Order(key, descending=text.startswith("-"))
        return self.order

    @property
    def drawn(self) -> list[Column]:
        """Return the columns that are drawn; a file may have more."""
        return [column for column in self.columns if not column.only_in_files]

    def cells(self, row: Row, *, currency: str = "") -> list[Cell]:
        """Return a row as it is drawn; `currency` is told in the heads."""
        return [cell(column, row, currency=currency) for column in self.drawn]


def currency_of(rows: Iterable[Row]) -> str:
    """Return the currency of all these rows, or nothing where they have several, or none."""
    found = {str(row["currency"]) for row in rows if row.get("currency")}
    return found.pop() if len(found) == 1 else ""


def _sortable(value: Any) -> Any:
    if isinstance(value, Rate):
        return value.value
    if isinstance(value, str):
        return value.casefold() or None
    return value
