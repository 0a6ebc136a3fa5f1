"""Which stretches of time are recounted: parts of five minutes, or whole hours or days where parts are not kept."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from analytics.models import Grain

# Parts of this many days are kept, hours and visits of this many; of older days, only the day and its week are.
PARTS_KEPT = 2
HOURS_KEPT = 15
PART = timedelta(minutes=5)
HOUR = timedelta(hours=1)
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
# A recount has a price of its own: so many due parts of one day, and their whole hours are recounted instead.
MOST_PARTS = 24


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """From `begin` (inclusive) to `end` (exclusive), both beginnings of a part, within the shop's day `day`."""

    day: date
    begin: datetime
    end: datetime


def day_bounds(day: date, zone: ZoneInfo, *, days: int = 1) -> tuple[datetime, datetime]:
    """Return when a day of the shop (or several from it on) begins and ends, in UTC; it may have 23 or 25 hours."""
    first, last = (datetime.combine(one, time.min, tzinfo=zone) for one in (day, day + timedelta(days=days)))
    return first.astimezone(UTC), last.astimezone(UTC)


def week_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when the week of a day of the shop begins (on Monday) and ends, in UTC."""
    return day_bounds(day - timedelta(days=day.weekday()), zone, days=7)


def hour_bounds(stretch: Range, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the beginning of the first and the end of the last hour that a range reaches into."""
    return shop_hour(stretch.begin, zone), shop_hour(stretch.end - timedelta(microseconds=1), zone) + HOUR


def finest_kept(day: date, today: date) -> Grain:
    """Return the finest grain that is kept of a day."""
    if day > today - timedelta(days=PARTS_KEPT):
        return Grain.PART
    return Grain.HOUR if day > today - timedelta(days=HOURS_KEPT) else Grain.DAY


def ranges_of(parts: Iterable[datetime], *, zone: ZoneInfo, today: date) -> list[Range]:
    """Return the ranges that cover these parts, in order, without overlap; neighbours of one day are joined.

    They are as long as the finest grain that is kept of their day.
    """
    pieces = {_piece(part, zone, today) for part in parts}
    due = Counter(piece.day for piece in pieces)
    crowded = {day for day, count in due.items() if count > MOST_PARTS}
    joined: list[Range] = []
    for piece in sorted({_hour(one.begin, one.day, zone) if one.day in crowded else one for one in pieces}):
        last = joined[-1] if joined else None
        if last and last.day == piece.day and piece.begin <= last.end:
            joined[-1] = Range(last.day, last.begin, max(last.end, piece.end))
        else:
            joined.append(piece)
    return joined


def _piece(part: datetime, zone: ZoneInfo, today: date) -> Range:
    day = part.astimezone(zone).date()
    match finest_kept(day, today):
        case Grain.PART:
            return Range(day, part, part + PART)
        case Grain.HOUR:
            return _hour(part, day, zone)
    return Range(day, *day_bounds(day, zone))


def _hour(moment: datetime, day: date, zone: ZoneInfo) -> Range:
    begin = shop_hour(moment, zone)
    return Range(day, begin, begin + HOUR)


def shop_hour(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the beginning of the hour of the shop, in UTC, as PostgreSQL's date_trunc with a time zone has it."""
    offset = moment.astimezone(zone).utcoffset() or timedelta()
    local = moment.astimezone(UTC) + offset
    return local.replace(minute=0, second=0, microsecond=0) - offset
