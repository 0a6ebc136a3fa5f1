"""What pages are made of: tiles, charts, alerts, facts, empty states. Frozen data; the templates draw it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from analytics.pages import formats

Unit = Literal["number", "money", "percent", "milliseconds"]
FORMATS: Mapping[str, Callable[[Any], str]] = {
    "number": formats.number,
    "money": formats.money,
    "percent": formats.percent,
    "milliseconds": formats.milliseconds,
}


def written(value: Any, unit: Unit) -> str:
    """Return a figure as people read it."""
    return FORMATS[unit](value)


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, what it was in the period before, and its days.

    `measure` names its definition. `better` says which way is good: up, down, or neither.
    """

    label: str
    value: Any
    unit: Unit = "number"
    before: Any = None
    days: Sequence[Any] = ()
    measure: str = ""
    better: Literal["up", "down", "neither"] = "up"
    note: str = ""
    thin: bool = False
    currency: str = ""
    # The change is no more than chance would make: it is neither good nor bad.
    may_be_chance: bool = False

    @property
    def text(self) -> str:
        """Return the figure as people read it."""
        return formats.money(self.value, self.currency) if self.unit == "money" else written(self.value, self.unit)

    @property
    def change(self) -> float | None:
        """Return the relative change, or None where there is nothing to compare with."""
        if self.value is None or not self.before:
            return None
        return float(self.value) / float(self.before) - 1

    @property
    def verdict(self) -> str:
        """Return good, bad or flat."""
        change = self.change
        if change is None or abs(change) < 0.005 or self.better == "neither" or self.may_be_chance:
            return "flat"
        return "good" if (change > 0) == (self.better == "up") else "bad"

    @property
    def change_text(self) -> str:
        """Return the change with a sign, so that it reads without colour."""
        change = self.change
        if change is None:
            return ""
        if abs(change) < 0.005:
            return "unchanged"
        size = f"{abs(change) * 100:,.0f} %" if abs(change) < 10 else f"{change + 1:,.0f}-fold"
        return f"{'▲' if change > 0 else '▼'} {size}"


@dataclass(frozen=True, slots=True)
class Series:
    """One line or set of bars of a chart: as many values as the chart has labels."""

    label: str
    values: Sequence[Any]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart, the sentence that says what it shows, and all its figures, for those who cannot see it."""

    name: str
    title: str
    sentence: str
    labels: Sequence[str]
    series: Sequence[Series]
    kind: Literal["line", "bar", "rows"] = "line"
    unit: Unit = "number"
    stacked: bool = False
    head: str = "Day"
    currency: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to draw."""
        return not any(value for one in self.series for value in one.values)

    @property
    def data_id(self) -> str:
        """Return the id of the element that holds the data."""
        return f"data-{self.name}"

    @property
    def data(self) -> dict[str, Any]:
        """Return what the script draws."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "currency": self.currency,
            "stacked": self.stacked,
            "labels": list(self.labels),
            "series": [
                {
                    "label": one.label,
                    "dashed": one.dashed,
                    "values": [None if value is None else float(value) for value in one.values],
                }
                for one in self.series
            ],
        }

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the figures by label, as people read them."""
        return [
            (label, [self._written(one.values[place]) for one in self.series])
            for place, label in enumerate(self.labels)
        ]

    def _written(self, value: Any) -> str:
        return formats.money(value, self.currency) if self.unit == "money" else written(value, self.unit)


@dataclass(frozen=True, slots=True)
class Empty:
    """Why there is nothing here, and what to do next."""

    title: str
    text: str = ""
    action: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that wants somebody: what it is, what it means, and what to do."""

    level: Literal["bad", "warn", "good", "info"]
    title: str
    text: str
    action: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Meter:
    """A share (0..1), drawn as a bar."""

    label: str
    share: float
    text: str
    note: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list of facts: name, value, and whether it is as it should be."""

    label: str
    text: str
    state: Literal["good", "warn", "bad", ""] = ""
    note: str = ""
    link: str = ""
