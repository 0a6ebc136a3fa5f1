"""Closing the books: days whose raw rows are cleared away are never counted again; what was counted of them stays.

A day is closed only when nothing is due that happened on it or before. What arrives for a closed day later is stored,
and does not change its figures.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from analytics.attribution import COUNTING
from analytics.models import (
    Grain,
    RollupState,
    SearchClickDetailRollup,
    SearchClickRollup,
    SearchDetailRollup,
    SearchRollup,
)
from analytics.rollups.ranges import BEGINNING, day_bounds, week_bounds
from analytics.rollups.tables import Table

# What is told of a list, and credited to it, comes within this time; later, the list explains nothing any more.
EXPLAINED = timedelta(days=30)
# A text that was searched for less often on a day is pooled with the others when the day is closed: whoever typed it
# may be erased later, when their day is not counted anew.
FEWEST_SEARCHES = 5
SEARCHED = tuple(
    Table.of(model) for model in (SearchRollup, SearchClickRollup, SearchDetailRollup, SearchClickDetailRollup)
)

_IS_DUE = """
SELECT EXISTS (SELECT FROM touched_parts WHERE starts_at < %(floor)s) OR EXISTS (
    SELECT FROM touched_events t JOIN user_interactions i ON i.id = t.interaction_id WHERE i.occurred_at < %(floor)s
)
"""
_RARE = """
CREATE TEMPORARY TABLE rare_searches ON COMMIT DROP AS
SELECT starts_at, query FROM analytics_searchrollup
WHERE grain = 'day' AND query <> '' AND searches < %(fewest)s AND starts_at >= %(begin)s AND starts_at < %(floor)s
"""
_POOL = """
WITH rare AS (
    DELETE FROM {searches} s USING rare_searches r
    WHERE s.grain = 'day' AND s.starts_at = r.starts_at AND s.query = r.query RETURNING s.*
), unclicked AS (
    DELETE FROM {clicks} c USING rare_searches r
    WHERE c.grain = 'day' AND c.starts_at = r.starts_at AND c.query = r.query
)
INSERT INTO {searches} AS pool (grain, {keys}, query, searches, without_results, clicks)
SELECT 'day', {keys}, '', sum(searches), sum(without_results), sum(clicks) FROM rare GROUP BY {keys}
ON CONFLICT (grain, {keys}, query) DO UPDATE SET searches = pool.searches + excluded.searches,
    without_results = pool.without_results + excluded.without_results, clicks = pool.clicks + excluded.clicks
"""
_POOLED = (
    _POOL.format(searches="analytics_searchrollup", clicks="analytics_searchclickrollup", keys="starts_at"),
    _POOL.format(
        searches="analytics_searchdetailrollup", clicks="analytics_searchclickdetailrollup", keys="starts_at, device"
    ),
)


def close(cursor: Any, last: datetime) -> bool:
    """Close all that raw rows up to `last` have a part in; return False, and close nothing, where some is due yet.

    Call it in the transaction that deletes those rows.
    """
    longest = max(settings.REEMIO_ATTRIBUTION_DAYS, settings.REEMIO_EMAIL_ATTRIBUTION_DAYS)
    return _close(cursor, last + max(EXPLAINED, timedelta(days=longest)), "closed_before")


def close_searches(cursor: Any, last: datetime) -> bool:
    """Close the figures of search texts up to `last`, whose texts are going to be emptied; otherwise as `close`."""
    return _close(cursor, last, "searches_closed_before")


def _close(cursor: Any, last: datetime, field: str) -> bool:
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
    state = RollupState.objects.filter(id=1).first()
    if state is None or not state.time_zone:
        return False
    zone = ZoneInfo(state.time_zone)
    floor = day_bounds(last.astimezone(zone).date(), zone)[1]
    closed = getattr(state, field)
    if closed is not None and floor <= closed:
        return True
    cursor.execute(_IS_DUE, {"floor": floor})
    if cursor.fetchone()[0]:
        return False
    pooled = [moment for moment in (state.closed_before, state.searches_closed_before) if moment is not None]
    _pool(cursor, max(pooled, default=BEGINNING), floor, zone)
    RollupState.objects.filter(id=1).update(**{field: floor})
    return True


def _pool(cursor: Any, begin: datetime, end: datetime, zone: ZoneInfo) -> None:
    """Pool the rare texts of these days, and sum up their weeks again."""
    cursor.execute("DROP TABLE IF EXISTS rare_searches")
    cursor.execute(_RARE, {"fewest": FEWEST_SEARCHES, "begin": begin, "floor": end})
    for statement in _POOLED:
        cursor.execute(statement)
    cursor.execute("SELECT min(starts_at) FROM analytics_searchrollup WHERE grain = 'week' AND starts_at < %s", [end])
    first = cursor.fetchone()[0]
    if first is not None:
        last = week_bounds((end - timedelta(seconds=1)).astimezone(zone).date(), zone)[1]
        sum_weeks(cursor, SEARCHED, max(first, week_bounds(begin.date(), zone)[0]), last, zone)


def sum_weeks(
    cursor: Any, tables: Iterable[Table], begin: datetime, end: datetime, zone: ZoneInfo, *, watched: bool = False
) -> None:
    """Make the weeks from `begin` to `end` the sums of their days."""
    names = {"begin": begin, "end": end, "zone": zone.key}
    for table in tables:
        table.sum_up(cursor, names, of=Grain.DAY, grain=Grain.WEEK, watched=watched)
