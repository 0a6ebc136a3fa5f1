"""How a table's values are written: for people, and for a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from analytics.definitions import Rate
from analytics.pages import formats
from analytics.pages.links import product_link, shopper_link

Kind = Literal[
    "text", "number", "money", "rate", "percent", "product", "moment", "day", "milliseconds", "score", "shopper"
]
Row = Mapping[str, Any]
NUMERIC = {"number", "money", "rate", "percent", "milliseconds", "score"}
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the key in the rows, its title, how values are written, and the measure that defines it."""

    key: str
    title: str
    kind: Kind = "text"
    measure: str = ""
    labels: Mapping[str, str] | None = None
    only_in_files: bool = False
    # Sentences: as wide as they can be read, also where the table has to be moved sideways.
    wide: bool = False

    @property
    def numeric(self) -> bool:
        """Tell whether the column is one of figures."""
        return self.kind in NUMERIC


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it is drawn: `small` stands below it, `note` is its tooltip; a thin one is greyed."""

    text: str
    kind: Kind
    numeric: bool = False
    note: str = ""
    thin: bool = False
    link: str = ""
    small: str = ""
    wide: bool = False
    zero: bool = False


def cell(column: Column, row: Row, *, currency: str = "") -> Cell:
    """Return a value as it is drawn. A row may bring its own link, as `<key>_link`.

    `currency` stands in the head of the columns of money, and is not told again.
    """
    value = row.get(column.key)
    link = str(row.get(f"{column.key}_link") or "")
    match column.kind:
        case "rate":
            return _rate(value)
        case "product":
            product_id, title = str(row.get("product_id") or ""), str(row.get("title") or "")
            small = str(row.get("category") or "") or (product_id if title else "")
            return Cell(title or product_id or formats.NOTHING, "product", link=product_link(product_id), small=small)
        case "shopper":
            return Cell(str(value or formats.NOTHING), "shopper", link=shopper_link(str(value or "")))
    text = _text(column, row, value, currency)
    zero = column.kind in ("number", "money") and value is not None and not value
    return Cell(text, column.kind, numeric=column.numeric, link=link, wide=column.wide, zero=zero)


def _text(column: Column, row: Row, value: Any, currency: str) -> str:
    match column.kind:
        case "number":
            return formats.number(value)
        case "money":
            own = row.get("currency") or currency
            return formats.amount(value) if value is None or own == currency != "" else formats.money(value, own)
        case "percent":
            return formats.percent(value)
        case "milliseconds":
            return formats.milliseconds(value)
        case "score":
            return formats.number(value, digits=3)
        case "moment":
            return formats.moment(value)
        case "day":
            return formats.day(value)
    text = (column.labels or {}).get(value, value)
    return formats.NOTHING if text is None or text == "" else str(text)


def _rate(rate: Rate | None) -> Cell:
    if rate is None or rate.value is None:
        return Cell(formats.NOTHING, "rate", numeric=True)
    low, high = formats.percent(rate.low), formats.percent(rate.high)
    note = f"{rate.successes:,} of {rate.trials:,}; 95 % interval {low} to {high}"
    note += "; too few to rely on" if rate.is_thin else ""
    return Cell(formats.percent(rate.value), "rate", numeric=True, note=note, thin=rate.is_thin)


def csv_names(column: Column) -> list[str]:
    """Return the names of the columns that a column becomes in a CSV file."""
    if column.kind == "product":
        return ["product_id", "title"]
    if column.kind == "rate":
        return [column.key, f"{column.key}_low", f"{column.key}_high"]
    return [column.key]


def csv_values(column: Column, row: Row) -> list[str]:
    """Return what stands in those columns, harmless to a spreadsheet."""
    value = row.get(column.key)
    match column.kind:
        case "product":
            return [harmless(str(row.get(key) or "")) for key in ("product_id", "title")]
        case "rate":
            figures = (value.value, value.low, value.high) if value else (None, None, None)
            return ["" if figure is None else f"{figure:.6f}" for figure in figures]
    if value is None:
        return [""]
    if isinstance(value, datetime | date):
        return [value.isoformat()]
    if isinstance(value, int | float | Decimal):
        return [str(value)]
    return [harmless(str(value))]


def harmless(text: str) -> str:
    """Return the text so that a spreadsheet does not calculate it."""
    return f"'{text}" if text.startswith(FORMULA) else text
