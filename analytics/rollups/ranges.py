"""Which stretches of time are recounted: whole hours of the shop, and whole days where hours are not kept any more."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Hours and visits of this many days are kept; of older days, only the day is.
HOURS_KEPT = 15
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """From `begin` (inclusive) to `end` (exclusive), both beginnings of an hour of the shop, within its day `day`."""

    day: date
    begin: datetime
    end: datetime


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a day of the shop begins and ends, in UTC; it may have 23 or 25 hours."""
    first, last = (datetime.combine(one, time.min, tzinfo=zone) for one in (day, day + timedelta(days=1)))
    return first.astimezone(UTC), last.astimezone(UTC)


def whole_day(day: date, zone: ZoneInfo) -> Range:
    """Return the range that is a whole day."""
    return Range(day, *day_bounds(day, zone))


def is_kept(day: date, today: date) -> bool:
    """Tell whether the hours of a day are kept."""
    return day > today - timedelta(days=HOURS_KEPT)


def ranges_of(hours: Iterable[datetime], *, zone: ZoneInfo, today: date) -> list[Range]:
    """Return the ranges that cover these hours of UTC, in order, without overlap; neighbours of one day are joined.

    The hours of a shop that is not a whole number of hours off UTC reach into two of them.
    """
    pieces = {piece for hour in hours for piece in _pieces(hour, zone, today)}
    joined: list[Range] = []
    for piece in sorted(pieces):
        last = joined[-1] if joined else None
        if last and last.day == piece.day and piece.begin <= last.end:
            joined[-1] = Range(last.day, last.begin, max(last.end, piece.end))
        else:
            joined.append(piece)
    return joined


def _pieces(hour: datetime, zone: ZoneInfo, today: date) -> list[Range]:
    found = []
    for moment in (hour, hour + HOUR - timedelta(microseconds=1)):
        day = moment.astimezone(zone).date()
        if is_kept(day, today):
            begin = shop_hour(moment, zone)
            found.append(Range(day, begin, begin + HOUR))
        else:
            found.append(whole_day(day, zone))
    return found


def shop_hour(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the hour of the shop, in UTC, as PostgreSQL's date_trunc with a time zone has it."""
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    local = moment.astimezone(UTC) + offset
    return local.replace(minute=0, second=0, microsecond=0) - offset
