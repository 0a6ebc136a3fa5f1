"""Counting what was noted, in order: attribute purchases, then recount the hours that are due, the newest first.

Each step is one transaction that deletes the notes it has worked off, so it may be killed at any line, be repeated, and
run beside itself. A step recounts whole hours from the raw rows: late, repeated and rewritten events need no care.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction

from analytics import models
from analytics.attribution import BATCH, COUNTING, attribute_batch, touch_purchases
from analytics.rollups import sources
from analytics.rollups.ranges import HOURS_KEPT, Range, day_bounds, is_kept, ranges_of
from analytics.rollups.tables import Table
from interactions.models import InteractionType

logger = structlog.get_logger(__name__)

RECOUNTED_DAYS = 7
# A shop that never rests always has something due: after the first round, a run takes up more for so many seconds.
PATIENCE = 5.0
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)
_HOURLY: tuple[tuple[Table, str], ...] = (
    (Table.of(models.RecommendationRollup), sources.RECOMMENDATIONS),
    (Table.of(models.EarningsRollup), sources.EARNINGS),
    (Table.of(models.LatencyRollup), sources.LATENCIES),
    (Table.of(models.ProductRollup), sources.PRODUCTS),
    (Table.of(models.SalesRollup), sources.SALES),
    (Table.of(models.SearchRollup), sources.SEARCHES),
    (Table.of(models.SearchClickRollup), sources.SEARCH_CLICKS),
    (Table.of(models.EventRollup), sources.EVENTS),
)
_FUNNEL = Table.of(models.FunnelRollup)
_DUE = "SELECT DISTINCT hour FROM touched_hours ORDER BY hour DESC"
_TOUCH_STORED = """
INSERT INTO touched_hours (hour)
SELECT date_trunc('hour', occurred_at, 'UTC') FROM user_interactions WHERE occurred_at >= %(since)s UNION
SELECT date_trunc('hour', served_at, 'UTC') FROM served_lists WHERE served_at >= %(since)s
"""
_TOUCH_COUNTED = """
INSERT INTO touched_hours (hour)
SELECT DISTINCT starts_at FROM {table} WHERE starts_at >= %(since)s
"""

Progress = Callable[[date, int], None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run has done: notes attributed, days and hours recounted, and whether everything that was due is done."""

    attributed: int
    days: int
    hours: int
    finished: bool
    seconds: float


def roll_up(*, progress: Progress | None = None) -> Counted:
    """Attribute and recount all that is due; return what was done.

    `progress` is called after each day with it and the number of days still to be done.
    """
    began = time.perf_counter()
    as_of = _database_time()
    zone = _settle_time_zone()
    attributed = 0
    while True:
        taken = attribute_batch()
        attributed += taken
        if taken < BATCH:
            break
    days = hours = 0
    for day, due, left in _days_due(zone):
        hours += _recount_day(due, zone)
        days += 1
        if progress is not None:
            progress(day, left)
    _forget_old(zone)
    seconds = time.perf_counter() - began
    models.RollupState.objects.update(as_of=as_of, seconds=seconds, hours=hours, attributed=attributed)
    logger.info("rolled_up", days=days, hours=hours, attributed=attributed, seconds=round(seconds, 3))
    return Counted(attributed, days, hours, True, seconds)


def touch(*, since: datetime | None) -> None:
    """Note that everything since a moment, or everything there is, is due for counting and attribution."""
    parameters = {"since": since or BEGINNING}
    with transaction.atomic(), connection.cursor() as cursor:
        touch_purchases(cursor, parameters["since"])
        cursor.execute(_TOUCH_STORED, parameters)
        for table, _ in (*_HOURLY, (_FUNNEL, "")):
            cursor.execute(_TOUCH_COUNTED.format(table=table.name), parameters)


def recount_recent() -> Counted:
    """Count the last seven days anew, whatever was noted, and all that is due besides."""
    touch(since=_database_time() - timedelta(days=RECOUNTED_DAYS))
    counted = roll_up()
    models.RollupState.objects.update(recounted_at=_database_time())
    return counted


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


@transaction.atomic
def _settle_time_zone() -> ZoneInfo:
    """Return the shop's time zone; where it is another one than before, forget all roll-ups and count them anew."""
    zone = ZoneInfo(settings.REEMIO_SHOP_TIME_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
    state, _ = models.RollupState.objects.get_or_create(id=1, defaults={"time_zone": zone.key})
    if state.time_zone != zone.key:
        if state.time_zone:
            touch(since=None)
            with connection.cursor() as cursor:
                for table, _ in (*_HOURLY, (_FUNNEL, "")):
                    cursor.execute(f"DELETE FROM {table.name}")  # noqa: S608  our own name
                cursor.execute("DELETE FROM visits")
        models.RollupState.objects.update(time_zone=zone.key)
    return zone


def _days_due(zone: ZoneInfo) -> Iterator[tuple[date, list[datetime], int]]:
    """Yield each day of the shop with its due hours (UTC), the newest first; all that was due when it began, at least.

    Counting may make notes of its own, on later hours: they are taken up by the next round, or the next run.
    """
    until = math.inf
    while time.monotonic() < until and (due := _hours_due()):
        by_day = [(day, list(hours)) for day, hours in groupby(due, key=lambda hour: hour.astimezone(zone).date())]
        for place, (day, hours) in enumerate(by_day, start=1):
            yield day, hours, len(by_day) - place
        until = min(until, time.monotonic() + PATIENCE)


def _hours_due() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return [hour for (hour,) in cursor.fetchall()]


@transaction.atomic
def _recount_day(due: list[datetime], zone: ZoneInfo) -> int:
    """Recount these hours, all of one day, and their day; return how many were due still."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        cursor.execute(
            "WITH done AS (DELETE FROM touched_hours WHERE hour = ANY(%s) RETURNING hour) "
            "SELECT DISTINCT hour FROM done",
            [due],
        )
        hours = [hour for (hour,) in cursor.fetchall()]
        today = _database_time().astimezone(zone).date()
        for stretch in ranges_of(hours, zone=zone, today=today):
            recount(cursor, stretch, zone=zone, today=today)
        return len(hours)


def recount(cursor: Any, stretch: Range, *, zone: ZoneInfo, today: date) -> None:
    """Count a stretch of one day from the raw rows, and sum up that day."""
    parameters: dict[str, Any] = {
        "begin": stretch.begin,
        "end": stretch.end,
        "day": stretch.day,
        "zone": zone.key,
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
        "kinds": InteractionType.values,
    }
    cursor.execute("DROP TABLE IF EXISTS outside, told")
    for statement in (sources.OUTSIDE, sources.TOLD, sources.TOUCH_LATER):
        cursor.execute(statement, parameters)
    for table, source in _HOURLY:
        table.store(cursor, source, parameters)
    begin, end = day_bounds(stretch.day, zone)
    whole = {**parameters, "begin": begin, "end": end}
    for table, _ in _HOURLY:
        table.sum_days(cursor, whole)
    if (begin, end) == (stretch.begin, stretch.end):
        cursor.execute("DELETE FROM visits WHERE day = %(day)s", whole)
    cursor.execute(sources.VISITS, parameters)
    _FUNNEL.store(cursor, sources.FUNNEL, whole, grain=models.Grain.DAY)
    if not is_kept(stretch.day, today):
        _forget_hours(cursor, whole)


def _forget_hours(cursor: Any, parameters: dict[str, Any]) -> None:
    """Delete the hours and visits of a day that was summed up."""
    for table, _ in _HOURLY:
        cursor.execute(
            f"DELETE FROM {table.name} WHERE grain = 'hour' AND starts_at >= %(begin)s AND starts_at < %(end)s",  # noqa: S608  our own name
            parameters,
        )
    cursor.execute("DELETE FROM visits WHERE day = %(day)s", parameters)


@transaction.atomic
def _forget_old(zone: ZoneInfo) -> None:
    """Delete the hours and visits of days that have grown too old to be kept."""
    oldest = _database_time().astimezone(zone).date() - timedelta(days=HOURS_KEPT - 1)
    with connection.cursor() as cursor:
        for table, _ in _HOURLY:
            cursor.execute(
                f"DELETE FROM {table.name} WHERE grain = 'hour' AND starts_at < %s",  # noqa: S608  our own name
                [day_bounds(oldest, zone)[0]],
            )
        cursor.execute("DELETE FROM visits WHERE day < %s", [oldest])
