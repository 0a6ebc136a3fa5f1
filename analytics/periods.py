"""Periods: from one day to another, both inclusive, cut in the shop's time zone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from analytics.models import Grain

DEFAULT_DAYS = 30
MOST_DAYS = 365
# Which rows of a roll-up make up a period: as few as possible, whole weeks and the days around them.
WITHIN = """(
    grain = 'week' AND starts_at >= %(first_week)s AND starts_at < %(after_weeks)s
    OR grain = 'day' AND starts_at >= %(begin)s AND starts_at < %(first_week)s
    OR grain = 'day' AND starts_at >= %(after_weeks)s AND starts_at < %(end)s
)"""
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

    def pieces(self) -> Mapping[str, datetime]:
        """Return the parameters of `WITHIN`: the period's bounds, and those of the whole weeks in it."""
        begin, end = self.bounds()
        monday, weeks = self._weeks()
        whole = (_midnight(monday), _midnight(monday + timedelta(weeks=weeks))) if weeks else (end, end)
        return {"begin": begin, "end": end, "first_week": whole[0], "after_weeks": whole[1]}

    def buckets(self) -> Mapping[str, list[datetime]]:
        """Return when each of the whole weeks begins, and each of the days around them."""
        monday, weeks = self._weeks()
        after = monday + timedelta(weeks=weeks)
        days = (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))
        return {
            "weeks": _midnights(monday + timedelta(weeks=number) for number in range(weeks)),
            "days": _midnights(day for day in days if not (weeks and monday <= day < after)),
        }

    def _weeks(self) -> tuple[date, int]:
        """Return the first Monday of the period, and how many whole weeks begin with it."""
        first = min(max(self.first, FIRST_DAY), LAST_DAY)
        monday = first + timedelta(days=-first.weekday() % 7)
        beyond = min(self.last, LAST_DAY) + timedelta(days=1)
        return monday, max((beyond - monday).days // 7, 0)


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


def _midnights(days: Iterable[date]) -> list[datetime]:
    """Return when these days begin: a midnight that comes twice is told twice, as its bucket may stand at either."""
    found = []
    for day in days:
        begin = _midnight(day)
        again = begin.astimezone(shop_zone()).replace(fold=1).astimezone(UTC)
        found += [begin, again] if again > begin else [begin]
    return found


def in_period(period: Period) -> Q:
    """Return the condition for the rows of a roll-up that make up a period, as `WITHIN` says it."""
    at = period.pieces()
    return (
        Q(grain=Grain.WEEK, starts_at__gte=at["first_week"], starts_at__lt=at["after_weeks"])
        | Q(grain=Grain.DAY, starts_at__gte=at["begin"], starts_at__lt=at["first_week"])
        | Q(grain=Grain.DAY, starts_at__gte=at["after_weeks"], starts_at__lt=at["end"])
    )


def shop_zone() -> ZoneInfo:
    """Return the time zone in which the shop's days are cut."""
    return ZoneInfo(settings.REEMIO_SHOP_TIME_ZONE)
