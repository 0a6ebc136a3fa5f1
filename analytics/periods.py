"""Periods: from one day to another, both inclusive, cut in the shop's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

DEFAULT_DAYS = 30
MOST_DAYS = 365
# Nothing happened before or will happen after; datetimes near their own limits cannot be moved to another zone.
FIRST_DAY = date(1900, 1, 1)
LAST_DAY = date(9000, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """The days `first` to `last`, both inclusive."""

    first: date
    last: date

    def bounds(self) -> tuple[datetime, datetime]:
        """Return the moments at which the period begins (inclusive) and ends (exclusive), in UTC."""
        return _midnight(self.first), _midnight(min(self.last, LAST_DAY) + timedelta(days=1))


def last_days(days: int) -> Period:
    """Return the last `days` days, today included."""
    today = timezone.localdate(timezone=shop_zone())
    return Period(today - timedelta(days=days - 1), today)


def between(first: date | None, last: date | None, *, days: int = DEFAULT_DAYS) -> Period:
    """Return the period; an open end is today, an open beginning lies `days` days back."""
    recent = last_days(days)
    last = last or max(recent.last, first or recent.last)
    first = first or max(last, FIRST_DAY + timedelta(days=days)) - timedelta(days=days - 1)
    return Period(first, last)


def _midnight(day: date) -> datetime:
    day = min(max(day, FIRST_DAY), LAST_DAY + timedelta(days=1))
    return datetime.combine(day, time.min, tzinfo=shop_zone()).astimezone(UTC)


def day_starts(period: Period) -> list[datetime]:
    """Return when each day of a period begins, in UTC; where midnight comes twice, both."""
    first = max(period.first, FIRST_DAY)
    days = [first + timedelta(days=number) for number in range((min(period.last, LAST_DAY) - first).days + 1)]
    midnights = (datetime.combine(day, time(fold=fold), tzinfo=shop_zone()) for day in days for fold in (0, 1))
    return sorted({midnight.astimezone(UTC) for midnight in midnights})


def shop_zone() -> ZoneInfo:
    """Return the time zone in which the shop's days are cut."""
    return ZoneInfo(settings.REEMIO_SHOP_TIME_ZONE)
