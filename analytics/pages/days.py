"""Days of a period, with a value for each: what did not happen is 0."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from analytics.pages.formats import zone
from analytics.performance import Figures
from analytics.periods import Period

ByDay = dict[date, Figures]


def days_of(period: Period) -> list[date]:
    """Return the days of a period, in order."""
    return [period.first + timedelta(days=day) for day in range((period.last - period.first).days + 1)]


def by_day(series: Iterable[tuple[datetime, Figures]]) -> ByDay:
    """Return the figures of each day of the shop on which something happened."""
    return {moment.astimezone(zone()).date(): figures for moment, figures in series}


def values(figures: ByDay, period: Period, value: Callable[[Figures], Any]) -> list[Any]:
    """Return one value a day."""
    nothing = Figures()
    return [value(figures.get(day, nothing)) for day in days_of(period)]


def labels(period: Period) -> list[str]:
    """Return the days as a chart writes them."""
    return [f"{day.day} {day:%b}" for day in days_of(period)]
