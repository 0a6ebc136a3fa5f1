"""Counting what was noted, in order: attribute purchases, then recount the parts that are due, the newest first.

Each step is one transaction that deletes the notes it has worked off, so it may be killed at any line, be repeated, and
run beside itself. A step recounts whole parts of five minutes from the raw rows, and sums up their hours, their day and
its week: late, repeated and rewritten events need no care, and a tick stays short however busy the hour.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import connection, transaction

from analytics import models
from analytics.attribution import BATCH, COUNTING, attribute_batch, touch_purchases
from analytics.rollups.closing import SEARCHED, sum_weeks
from analytics.rollups.mails import count_mails, forget_mails, touch_mails
from analytics.rollups.ranges import (
    BEGINNING,
    HOURS_KEPT,
    PARTS_KEPT,
    Range,
    day_bounds,
    finest_kept,
    hour_bounds,
    ranges_of,
    week_bounds,
)
from analytics.rollups.sources import lists, products, searches, visits
from analytics.rollups.tables import Table
from interactions.models import InteractionType

logger = structlog.get_logger(__name__)

RECOUNTED_DAYS = 7
# A shop that never rests always has something due: after the first round, a run takes up more for so many seconds.
PATIENCE = 5.0
Counts = tuple[tuple[Table, str], ...]
_COUNTED: Counts = (
    (Table.of(models.RecommendationRollup), lists.RECOMMENDATIONS),
    (Table.of(models.EarningsRollup), lists.EARNINGS),
    (Table.of(models.LatencyRollup), lists.LATENCIES),
    (Table.of(models.ProductRollup), products.PRODUCTS),
    (Table.of(models.ProductDetailRollup), products.PRODUCT_DETAILS),
    (Table.of(models.SalesRollup), products.SALES),
    (Table.of(models.SalesDetailRollup), products.SALES_DETAILS),
    (Table.of(models.SearchRollup), searches.SEARCHES),
    (Table.of(models.SearchDetailRollup), searches.SEARCH_DETAILS),
    (Table.of(models.SearchClickRollup), searches.SEARCH_CLICKS),
    (Table.of(models.SearchClickDetailRollup), searches.SEARCH_CLICK_DETAILS),
    (Table.of(models.EventRollup), visits.EVENTS),
)
# Temporary tables that several of them read.
_PREPARED = (
    "DROP TABLE IF EXISTS outside, told, of_products, sold, searched, search_clicked",
    *(lists.OUTSIDE, lists.TOLD, lists.TOUCH_LATER, products.OF_PRODUCTS, products.SOLD),
    *(searches.SEARCHED, searches.SEARCH_CLICKED),
)
_FUNNEL = Table.of(models.VisitRollup)
_DUE = "SELECT DISTINCT starts_at FROM touched_parts ORDER BY starts_at DESC"
_TOUCH_STORED = """
INSERT INTO touched_parts (starts_at)
SELECT date_bin('5 minutes', occurred_at, '2000-01-01 00:00+00') FROM user_interactions
WHERE occurred_at >= %(since)s UNION
SELECT date_bin('5 minutes', served_at, '2000-01-01 00:00+00') FROM served_lists WHERE served_at >= %(since)s
"""
_TOUCH_COUNTED = """
INSERT INTO touched_parts (starts_at)
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


def roll_up(*, progress: Progress | None = None, whole: bool = False) -> Counted:
    """Attribute and recount all that is due; return what was done.

    `progress` is called after each day with it and the number of days still to be done. Only what a recount has changed
    is summed up again; with `whole`, everything of its hours, days and weeks.
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
    days, hours = 0, set[datetime]()
    for day, due, left in _days_due(zone):
        hours |= {part.replace(minute=0) for part in _recount_day(due, zone, whole=whole)}
        days += 1
        if progress is not None:
            progress(day, left)
    count_mails(zone)
    _forget_old(zone)
    seconds = time.perf_counter() - began
    models.RollupState.objects.update(as_of=as_of, seconds=seconds, hours=len(hours), attributed=attributed)
    logger.info("rolled_up", days=days, hours=len(hours), attributed=attributed, seconds=round(seconds, 3))
    return Counted(attributed, days, len(hours), True, seconds)


def touch(*, since: datetime | None) -> None:
    """Note that everything since a moment, or everything there is, is due for counting and attribution."""
    parameters = {"since": since or BEGINNING}
    with transaction.atomic(), connection.cursor() as cursor:
        touch_purchases(cursor, parameters["since"])
        touch_mails(cursor, parameters["since"])
        cursor.execute(_TOUCH_STORED, parameters)
        for table, _ in (*_COUNTED, (_FUNNEL, "")):
            cursor.execute(_TOUCH_COUNTED.format(table=table.name), parameters)


def recount_recent() -> Counted:
    """Count the last seven days anew, whatever was noted, and all that is due besides."""
    touch(since=_database_time() - timedelta(days=RECOUNTED_DAYS))
    counted = roll_up(whole=True)
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
                _forget_open(cursor, _first_open(state.closed_before, zone), zone)
            forget_mails(zone)
        models.RollupState.objects.update(time_zone=zone.key)
    return zone


def _first_open(closed_before: datetime | None, zone: ZoneInfo) -> datetime:
    """Return when the first day of the shop begins that is not closed, not even in part."""
    if closed_before is None:
        return BEGINNING
    begin, end = day_bounds(closed_before.astimezone(zone).date(), zone)
    return begin if begin >= closed_before else end


def _forget_open(cursor: Any, since: datetime, zone: ZoneInfo) -> None:
    """Delete what was counted of the days since a moment; those before are closed, and stay as they were cut."""
    week = week_bounds(since.astimezone(zone).date(), zone) if since > BEGINNING else (since, since)
    names = {"since": since, "week": week[0] - timedelta(days=1)}
    for table, _ in (*_COUNTED, (_FUNNEL, "")):
        cursor.execute(
            f"DELETE FROM {table.name} WHERE starts_at >= %(since)s OR grain = 'week' AND starts_at > %(week)s",  # noqa: S608  our own name
            names,
        )
    sum_weeks(cursor, [table for table, _ in _COUNTED], *week, zone)
    cursor.execute("DELETE FROM visits")


def _days_due(zone: ZoneInfo) -> Iterator[tuple[date, list[datetime], int]]:
    """Yield each day of the shop with its due parts, the newest first; all that was due when it began, at least.

    Counting may make notes of its own, on later parts: they are taken up by the next round, or the next run.
    """
    until = math.inf
    while time.monotonic() < until and (due := _parts_due()):
        by_day = [(day, list(parts)) for day, parts in groupby(due, key=lambda part: part.astimezone(zone).date())]
        for place, (day, parts) in enumerate(by_day, start=1):
            yield day, parts, len(by_day) - place
        until = min(until, time.monotonic() + PATIENCE)


def _parts_due() -> list[datetime]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return [part for (part,) in cursor.fetchall()]


@transaction.atomic
def _recount_day(due: list[datetime], zone: ZoneInfo, *, whole: bool) -> list[datetime]:
    """Recount these parts, all of one day, and what they are summed up in; return which were due still."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
        cursor.execute(
            "WITH done AS (DELETE FROM touched_parts WHERE starts_at = ANY(%s) RETURNING starts_at, visit) "
            "SELECT DISTINCT starts_at, visit FROM done",
            [due],
        )
        notes = cursor.fetchall()
        parts = sorted({part for part, _ in notes})
        today = _database_time().astimezone(zone).date()
        stretches = ranges_of(parts, zone=zone, today=today)
        gone = [visit for _, visit in notes if visit is not None]
        if gone:
            cursor.execute("DELETE FROM visits WHERE day = %s AND visit = ANY(%s)", [stretches[0].day, gone])
        counted = _counted_of(stretches[0].day, zone) if stretches else ()
        if counted:
            grain = finest_kept(stretches[0].day, today)
            for table, _ in counted:
                table.watch(cursor)
            for stretch in stretches:
                _recount(cursor, stretch, counted, zone=zone, grain=grain)
            changed = [table for table, _ in counted if whole or table.changed(cursor)]
            _sum_up(cursor, stretches, changed, zone=zone, grain=grain, watched=not whole)
            _count_funnel(cursor, stretches[0].day, zone, grain=grain)
        return parts


def _counted_of(day: date, zone: ZoneInfo) -> Counts:
    """Return what is counted of a day: nothing of a closed one, see `closing.py`."""
    begin = day_bounds(day, zone)[0]
    closed, searches_closed = models.RollupState.objects.values_list("closed_before", "searches_closed_before")[0]
    if closed is not None and begin < closed:
        return ()
    if searches_closed is not None and begin < searches_closed:
        return tuple(one for one in _COUNTED if one[0] not in SEARCHED)
    return _COUNTED


def _recount(cursor: Any, stretch: Range, counted: Counts, *, zone: ZoneInfo, grain: models.Grain) -> None:
    """Count a stretch from the raw rows, in the finest grain that is kept of its day."""
    parameters = _parameters(stretch.day, stretch.begin, stretch.end, zone) | {
        "currency": settings.REEMIO_DEFAULT_CURRENCY,
        "kinds": InteractionType.values,
    }
    for statement in _PREPARED:
        cursor.execute(statement, parameters)
    for table, source in counted:
        table.store(cursor, source, parameters, grain=grain, watched=True)
    if (stretch.begin, stretch.end) == day_bounds(stretch.day, zone):
        cursor.execute("DELETE FROM visits WHERE day = %(day)s", parameters)
    cursor.execute(visits.VISITS, parameters)


def _sum_up(
    cursor: Any, stretches: list[Range], tables: list[Table], *, zone: ZoneInfo, grain: models.Grain, watched: bool
) -> None:
    """Sum up the hours that these stretches of one day reach into, their day, and its week."""
    day = stretches[0].day
    whole = _parameters(day, *day_bounds(day, zone), zone)
    if grain is models.Grain.PART:
        for begin, end in sorted({hour_bounds(stretch, zone) for stretch in stretches}):
            for table in tables:
                hour = _parameters(day, begin, end, zone)
                table.sum_up(cursor, hour, of=grain, grain=models.Grain.HOUR, watched=watched)
    if grain is not models.Grain.DAY:
        for table in tables:
            table.sum_up(cursor, whole, of=models.Grain.HOUR, grain=models.Grain.DAY, watched=watched)
    sum_weeks(cursor, tables, *week_bounds(day, zone), zone, watched=watched)


def _count_funnel(cursor: Any, day: date, zone: ZoneInfo, *, grain: models.Grain) -> None:
    """Count the visits of a day, which are forgotten then where only days are kept."""
    whole = _parameters(day, *day_bounds(day, zone), zone)
    _FUNNEL.store(cursor, visits.FUNNEL, whole, grain=models.Grain.DAY)
    if grain is models.Grain.DAY:
        cursor.execute("DELETE FROM visits WHERE day = %(day)s", whole)


def _parameters(day: date, begin: datetime, end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {"day": day, "begin": begin, "end": end, "zone": zone.key}


@transaction.atomic
def _forget_old(zone: ZoneInfo) -> None:
    """Delete the parts, hours and visits of days that have grown too old to be kept."""
    today = _database_time().astimezone(zone).date()
    oldest = today - timedelta(days=HOURS_KEPT - 1)
    kept = ((models.Grain.PART, today - timedelta(days=PARTS_KEPT - 1)), (models.Grain.HOUR, oldest))
    with connection.cursor() as cursor:
        for grain, first in kept:
            for table, _ in _COUNTED:
                cursor.execute(
                    f"DELETE FROM {table.name} WHERE grain = %s AND starts_at < %s",  # noqa: S608  our own name
                    [grain.value, day_bounds(first, zone)[0]],
                )
        cursor.execute("DELETE FROM visits WHERE day < %s", [oldest])
