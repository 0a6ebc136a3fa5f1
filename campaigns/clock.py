"""Local time: when a person's hour has come, and when it is too late. Pure; no Django here.

Whoever travels keeps one Sunday a week: the occasion is named by the local date, not by the moment.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

SUNDAY = 6


@lru_cache(maxsize=1024)
def zone_of(name: str, fallback: str = "UTC") -> ZoneInfo:
    """Return the time zone by its IANA name, else the fallback, else UTC."""
    for one in (name, fallback):
        try:
            if one:
                return ZoneInfo(one)
        except (KeyError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def local_day(now: datetime, zone: ZoneInfo) -> date:
    """Return the local date."""
    return now.astimezone(zone).date()


def at_hour(day: date, hour: int, zone: ZoneInfo) -> datetime:
    """Return the moment, in UTC, at which `hour` begins on a local day; one that does not exist begins just after."""
    return datetime.combine(day, time(hour), tzinfo=zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Window:
    """One local occasion: its name, and the moments between which its mails go out."""

    occasion: str
    due_at: datetime
    expires_at: datetime


def daily_window(now: datetime, zone: ZoneInfo, *, from_hour: int, until_hour: int) -> Window | None:
    """Return today's window where `now` lies in it."""
    day = local_day(now, zone)
    window = Window(day.isoformat(), at_hour(day, from_hour, zone), at_hour(day, until_hour, zone))
    return window if window.due_at <= now < window.expires_at else None


def sunday_window(now: datetime, zone: ZoneInfo, *, from_hour: int, until_hour: int) -> Window | None:
    """Return the window of the local Sunday where `now` lies in it, named by its ISO year and week."""
    day = local_day(now, zone)
    if day.weekday() != SUNDAY:
        return None
    window = daily_window(now, zone, from_hour=from_hour, until_hour=until_hour)
    return window and Window(week_of(day), window.due_at, window.expires_at)


def week_of(day: date) -> str:
    """Return the ISO year and week, `2026-W07`."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def quiet_until(now: datetime, zone: ZoneInfo, *, from_hour: int, until_hour: int) -> datetime | None:
    """Return when the quiet hours end, or None outside of them. They may span midnight; equal hours mean none."""
    local = now.astimezone(zone)
    hour = local.hour
    if from_hour == until_hour:
        return None
    if from_hour < until_hour:
        inside = from_hour <= hour < until_hour
        day = local.date()
    else:
        inside = hour >= from_hour or hour < until_hour
        day = local.date() + timedelta(days=1) if hour >= from_hour else local.date()
    return at_hour(day, until_hour, zone) if inside else None
