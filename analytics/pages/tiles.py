"""The eight tiles of the overview."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from analytics.definitions import MEASURES, Rate, may_be_chance
from analytics.pages.days import ByDay, values
from analytics.pages.parts import Tile, Unit
from analytics.performance import Figures
from analytics.periods import Period

Better = Literal["up", "down", "neither"]
CHOSEN: Sequence[tuple[str, Unit, Better]] = (
    ("direct_revenue", "money", "up"),
    ("assisted_revenue", "money", "up"),
    ("conversions", "number", "up"),
    ("revenue_per_thousand", "money", "up"),
    ("impressions", "number", "up"),
    ("click_through_rate", "percent", "up"),
    ("conversion_rate", "percent", "up"),
    ("fallback_rate", "percent", "down"),
)


def tiles(now: Figures, before: Figures | None, days: ByDay, period: Period) -> list[Tile]:
    """Return the tiles; without a period before there is no change to show."""
    return [_tile(name, unit, better, now, before, days, period) for name, unit, better in CHOSEN]


def _tile(
    name: str, unit: Unit, better: Better, now: Figures, before: Figures | None, days: ByDay, period: Period
) -> Tile:
    value = _reader(name)
    measured, earlier = getattr(now, name), getattr(before, name, None)
    return Tile(
        label=MEASURES[name].label,
        value=value(now),
        unit=unit,
        before=value(before) if before else None,
        days=values(days, period, value),
        measure=name,
        better=better,
        currency=now.currency,
        thin=isinstance(measured, Rate) and measured.is_thin,
        note="" if before is None else "nothing to compare with",
        may_be_chance=isinstance(measured, Rate) and isinstance(earlier, Rate) and may_be_chance(measured, earlier),
    )


def _reader(name: str) -> Callable[[Figures], Any]:
    def read(figures: Figures) -> Any:
        found = getattr(figures, name)
        return found.value if isinstance(found, Rate) else found

    return read
