"""Ten million interactions and three million served lists, and how quickly they are counted and read.

    python benchmarks/analytics.py fill [--interactions 10000000] [--lists 3000000] [--days 90]
    python benchmarks/analytics.py rollup        counts all of it; then an hour of 500 events a second, again and again
    python benchmarks/analytics.py read          times every selector that pages read, with its queries

`fill` writes into the database that the environment names, which should be one of its own: it is not small. Rows are
made by PostgreSQL itself (`generate_series`), triggers off, and everything is then noted as due.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from reemio.bootstrap import prepare

prepare()
import django

django.setup()
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from analytics import health, performance, products, searches, top_products, visits
from analytics.periods import last_days
from analytics.rollups.run import roll_up, touch

SQL = Path(__file__).with_suffix(".sql")
BUSY = 500  # events a second
PRODUCTS, SHOPPERS = 20_000, 200_000
SEEN = 0.55  # of all interactions are impressions and clicks


def fill(interactions: int, lists: int, days: int) -> None:
    now = datetime.now(UTC)
    names = {
        "products": PRODUCTS, "shoppers": SHOPPERS, "lists": lists, "interactions": interactions, "seen": SEEN,
        "begin": now - timedelta(days=days), "seconds": days * 86_400 - 7200,
        "others": int(interactions * (1 - SEEN)),
    }  # fmt: skip
    began = time.perf_counter()
    for statement in SQL.read_text().split(";\n"):
        if statement.strip():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(statement, names)
                print(f"{cursor.rowcount:>12,} rows  {time.perf_counter() - began:6.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE user_interactions")
        cursor.execute("VACUUM ANALYZE served_lists")
    touch(since=None)


def count(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


def measure_rollup() -> None:
    rows = count("SELECT count(*) FROM user_interactions")
    counted = roll_up(progress=lambda day, left: print(f"  {day}, {left} left", end="\r", flush=True))
    rate = rows / counted.seconds
    print(f"all: {rows:,} events in {counted.seconds:.0f} s, {rate:,.0f}/s: {rate / BUSY:,.0f} times {BUSY}/s")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT date_trunc('hour', occurred_at, 'UTC') AS hour, count(*) FROM user_interactions "
            "GROUP BY hour ORDER BY count(*) DESC LIMIT 1"
        )
        hour, held = cursor.fetchone()
    took = []
    for _ in range(3):
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO touched_hours (hour) VALUES (%s)", [hour])
        took.append(roll_up().seconds)
    seconds = statistics.median(took)
    print(f"one hour of {held:,} events: {seconds:.2f} s a tick; {held / max(seconds, 0.001):,.0f} events/s recounted")


def measure_reading() -> None:
    period = last_days(90)
    reads: dict[str, Callable[[], Any]] = {
        "total": lambda: performance.total(period),
        "placement × strategy × variant": lambda: performance.grouped(period, ["placement", "strategy", "variant"]),
        "by position": lambda: performance.grouped(period, ["position"]),
        "by device": lambda: performance.grouped(period, ["device"]),
        "by day": lambda: list(performance.series(period)),
        "latencies": lambda: performance.latencies(period),
        "products by views": lambda: products.ranked(period, by="views", before=last_days(90)),
        "products by revenue": lambda: products.ranked(period, by="revenue"),
        "never clicked": lambda: products.never_clicked(period),
        "reach": lambda: products.reach(period),
        "funnels": lambda: visits.funnels(period),
        "top queries": lambda: searches.top_queries(period),
        "queries without result": lambda: searches.queries_without_result(period),
        "clicked after search": lambda: searches.clicked_after_search(period),
        "events by hour": lambda: health.hours_of_events(),
        "top viewed (API)": lambda: top_products.top_viewed(period=period, limit=10),
        "top purchased (API)": lambda: top_products.top_purchased(period=period, limit=10),
    }
    reference = one_query()
    print(f"one trivial query: {reference * 1000:.2f} ms; load {os.getloadavg()[0]:.1f}")
    for name, read in reads.items():
        read()
        took = []
        for _ in range(3):
            with CaptureQueriesContext(connection) as queries:
                began = time.perf_counter()
                read()
                took.append(time.perf_counter() - began)
        seconds = statistics.median(took)
        print(f"{name:<32} {seconds * 1000:8.1f} ms  {seconds / reference:8.0f}×  {len(queries)} queries")


def one_query() -> float:
    took = []
    for _ in range(50):
        began = time.perf_counter()
        count("SELECT 1")
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["fill", "rollup", "read"])
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--lists", type=int, default=3_000_000)
    parser.add_argument("--days", type=int, default=90)
    asked = parser.parse_args()
    if asked.what == "fill":
        fill(asked.interactions, asked.lists, asked.days)
    elif asked.what == "rollup":
        measure_rollup()
    else:
        measure_reading()


if __name__ == "__main__":
    main()
