"""How figures are written on pages: for people, in the shop's currency and time zone."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

NOTHING = "–"
Number = int | float | Decimal


def zone() -> ZoneInfo:
    """Return the shop's time zone."""
    return ZoneInfo(settings.REEMIO_SHOP_TIME_ZONE)


def number(value: Number | None, *, digits: int = 0) -> str:
    """Return 12345.6 as 12,346."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def money(value: Number | None, currency: str = "") -> str:
    """Return an amount with its currency: two digits after the point below a thousand, none above."""
    if value is None:
        return NOTHING
    digits = 0 if abs(float(value)) >= 1000 else 2
    return f"{value:,.{digits}f} {currency or settings.REEMIO_DEFAULT_CURRENCY}"


def amount(value: Number | None) -> str:
    """Return an amount for a column of amounts, whose head names the currency: always to the hundredth."""
    return number(value, digits=2)


def percent(share: float | None) -> str:
    """Return 0.0312 as 3.1 %; small shares keep two digits."""
    if share is None:
        return NOTHING
    digits = 0 if abs(share) >= 0.9995 else 1 if abs(share) >= 0.01 or share == 0 else 2
    return f"{share * 100:,.{digits}f} %"


def milliseconds(value: float | None) -> str:
    """Return how long an answer took."""
    if value is None:
        return NOTHING
    return f"{value:,.1f} ms" if value < 100 else f"{value:,.0f} ms"


def moment(value: datetime | None) -> str:
    """Return a moment in the shop's time zone, to the minute."""
    return NOTHING if value is None else f"{value.astimezone(zone()):%d %b %Y, %H:%M}"


def day(value: date | None) -> str:
    """Return a day with its weekday, by which shops differ the most."""
    return NOTHING if value is None else f"{value:%a} {value.day} {value:%b %Y}"


def ago(value: datetime | None) -> str:
    """Return how long ago a moment was, in its largest unit."""
    if value is None:
        return "never"
    seconds = (timezone.now() - value).total_seconds()
    return "just now" if seconds < 60 else f"{span(seconds)} ago"


def span(seconds: float) -> str:
    """Return a length of time in its largest unit."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return plural(int(seconds // size), name)
    return plural(int(seconds), "second")


def plural(count: int, one: str, many: str = "") -> str:
    """Return “1 click”, “2 clicks”."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
