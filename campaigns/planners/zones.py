"""The time zones that people live in, and in which of them an hour has come."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from campaigns.clock import Window, zone_of


def open_windows(window_of: Callable[[ZoneInfo], Window | None]) -> dict[str, Any]:
    """Return, as parallel arrays for SQL's `unnest`, the zones whose window is open.

    `zones` are names as they stand in people's profiles; the empty one, and those that nobody knows, mean the shop's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT timezone FROM interactions_shopper")
        names = [name for (name,) in cursor.fetchall()]
    found = {name: window_of(zone_of(name, settings.REEMIO_SHOP_TIME_ZONE)) for name in names}
    opened = [(name, window) for name, window in found.items() if window is not None]
    return {
        "zones": [name for name, _ in opened],
        "occasions": [window.occasion for _, window in opened],
        "dues": [window.due_at for _, window in opened],
        "expiries": [window.expires_at for _, window in opened],
    }


ZONES = """
unnest(%(zones)s::text[], %(occasions)s::text[], %(dues)s::timestamptz[], %(expiries)s::timestamptz[])
    AS opened (zone, occasion, due_at, expires_at)
"""
