"""Ten million interactions and three million served lists: how quickly they are counted, and every page is read.

    python -m benchmarks.analytics [--interactions 10000000] [--lists 3000000] [--days 90] [--minutes 2]
    python -m benchmarks.analytics --filled      measures in the database that the environment names, as it is

Rows are made by PostgreSQL itself (`generate_series`), triggers off, and everything is then noted as due. A page is the
whole answer to somebody who is signed in, through every middleware: median and worst of seven, and its queries. The
reference is a page of the admin that reads no figures, the form that changes a password.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.table import Finding, show

SQL = Path(__file__).with_suffix(".sql")
BUSY = 500  # events a second
TICK = 20  # seconds from one roll-up to the next
PRODUCTS, SHOPPERS = 20_000, 200_000
SEEN = 0.55  # of all interactions are impressions and clicks
REPEATS = 7
PAGE_SECONDS, PAGE_QUERIES = 0.5, 15
REFERENCE = "/admin/password_change/"
PERIODS = ("?days=7", "?days=28", "?days=90")
PAGES: dict[str, tuple[str, ...]] = {
    "": (*PERIODS, "?days=90&compare=none", "?days=90&placement=homepage", "?days=90&device=mobile"),
    "recommendations": (*PERIODS, "?days=90&placement=product", "?days=90&strategy=search", "?days=90&device=mobile"),
    "products": (
        *PERIODS,
        *(f"?days=90&by={by}" for by in ("views", "recommended", "clicks", "revenue", "out_of_stock")),
        *(f"?days=90&{only}" for only in ("placement=homepage", "strategy=personalized", "device=mobile")),
        "?days=90&placement=product&device=mobile&by=revenue",
    ),
    "funnel": (*PERIODS, "?days=90&device=mobile", "?days=90&placement=homepage"),
    "search": (*PERIODS, "?days=90&device=mobile"),
    "email": PERIODS,
    "shopper": ("", "?user=shopper-7"),
    "explain": ("", "?user=shopper-7", "?placement=product&products=bench-3"),
    "health": ("",),
    "experiments": ("",),
    "engine": ("",),
}
GROUPS = ("context", "strategy", "variant", "position", "device", "day")
ENDPOINTS = (
    *(f"products/top-{name}?days={days}" for name in ("viewed", "recommended", "purchased") for days in (28, 90)),
    *(f"recommendations/performance?days=90&group_by={group}" for group in GROUPS),
)


def main() -> None:
    """Fill, count, read, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--lists", type=int, default=3_000_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--minutes", type=int, default=2, help="of 500 events a second, counted as they come")
    parser.add_argument("--filled", action="store_true")
    asked = parser.parse_args()
    if asked.filled:
        _set_up()
        show([*reading(), *keeping_up(asked.minutes)])
        return
    with scratch("analytics"):
        fill(asked.interactions, asked.lists, asked.days)
        show([*counting(), *reading(), *keeping_up(asked.minutes)])


def _set_up() -> None:
    from reemio.bootstrap import prepare

    os.environ.setdefault("LOG_LEVEL", "ERROR")
    prepare()
    import django

    django.setup()


def fill(interactions: int, lists: int, days: int) -> None:
    """Make the raw rows, and note everything as due."""
    from django.db import connection, transaction

    from analytics.rollups.run import touch

    names = {
        "products": PRODUCTS, "shoppers": SHOPPERS, "lists": lists, "interactions": interactions, "seen": SEEN,
        "begin": datetime.now(UTC) - timedelta(days=days), "seconds": days * 86_400 - 7200,
        "others": int(interactions * (1 - SEEN)),
    }  # fmt: skip
    began = time.perf_counter()
    for statement in SQL.read_text().split(";\n"):
        if statement.strip():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                cursor.execute(statement, names)
                print(f"{cursor.rowcount:>12,} rows  {time.perf_counter() - began:6.0f} s", file=sys.stderr, flush=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    touch(since=None)


def counting() -> Iterator[Finding]:
    """Count everything from nothing."""
    from analytics.rollups.run import roll_up

    rows = _count("SELECT count(*) FROM user_interactions")
    counted = roll_up(progress=lambda day, left: print(f"  {day}, {left} left", end="\r", file=sys.stderr, flush=True))
    _count("SELECT 1")
    rate = rows / counted.seconds
    what = f"{rows:,} events counted from nothing"
    yield Finding(what, f"{rate:,.0f}/s", f"{BUSY}/s come in", f"{rate / BUSY:,.0f}", "> 1", rate > BUSY)


def keeping_up(minutes: int) -> Iterator[Finding]:
    """Let an hour of 500 events a second have gone by, then more of them come in, and count at every tick."""
    from django.db import connection, transaction
    from django.utils import timezone

    from analytics.rollups.run import roll_up

    print("making an hour of 1.8 million events", file=sys.stderr, flush=True)
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(BUSY_HOUR, {"since": now - timedelta(hours=1), "rate": BUSY, "seconds": 3600})
        cursor.execute(
            "INSERT INTO touched_parts (starts_at) SELECT generate_series("
            "date_bin('5 minutes', %s, '2000-01-01 00:00+00'), now(), interval '5 minutes')",
            [now - timedelta(hours=1)],
        )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE user_interactions")
    first = roll_up()
    print(f"counted it in {first.seconds:.1f} s", file=sys.stderr, flush=True)
    took = []
    for _ in range(minutes * 60 // TICK):
        with connection.cursor() as cursor:
            since = timezone.now() - timedelta(seconds=TICK)
            cursor.execute(BUSY_HOUR, {"since": since, "rate": BUSY, "seconds": TICK})
        took.append(roll_up().seconds)
    seconds = statistics.median(took)
    what = f"one tick, when {BUSY} events a second come in, in an hour of {BUSY * 3600:,}"
    measured = f"{seconds:.1f} s, worst {max(took):.1f} s"
    yield Finding(what, measured, f"a tick every {TICK} s", f"{seconds / TICK:.2f}", "< 1", max(took) < TICK)


BUSY_HOUR = """
INSERT INTO user_interactions (interaction_type, user_id, session_id, product_id, occurred_at, received_at, quantity,
    unit_price, currency, order_id, recommendation_context, recommendation_position, recommendation_request_id,
    search_query, extra_data)
SELECT kind, 'shopper-' || n / 20 %% 200000, 'busy-' || n / 20 %% 100000,
    CASE WHEN kind <> 'search' THEN 'bench-' || (power(random(), 3) * 20000)::int END, at, at,
    CASE WHEN kind = 'purchase' THEN 1 END, CASE WHEN kind = 'purchase' THEN 20 END, 'USD',
    CASE WHEN kind = 'purchase' THEN 'busy-' || n END,
    CASE WHEN kind LIKE 'recommendation%%' THEN 'homepage' ELSE '' END,
    CASE WHEN kind LIKE 'recommendation%%' THEN 1 + n %% 4 END,
    CASE WHEN kind LIKE 'recommendation%%' THEN md5('bench-list-' || n %% 3000000)::uuid END,
    CASE WHEN kind = 'search' THEN 'query ' || (power(random(), 2) * 20000)::int ELSE '' END,
    CASE WHEN kind = 'search' THEN '{"resultsCount": 3}'::jsonb ELSE '{"device": "mobile"}'::jsonb END
FROM (
    SELECT n, %(since)s::timestamptz + n * interval '1 second' / %(rate)s AS at,
        (ARRAY['view', 'recommendation_view', 'view', 'recommendation_view', 'view', 'recommendation_view', 'search',
            'cart_add', 'recommendation_view', 'view', 'recommendation_view', 'purchase', 'recommendation_view',
            'recommendation_click', 'view', 'recommendation_view', 'view', 'recommendation_view', 'view',
            'recommendation_view'])[1 + n %% 20] AS kind
    FROM generate_series(1, %(rate)s * %(seconds)s) n
) AS made
"""


def reading() -> Iterator[Finding]:
    """Ask for every page and every endpoint of figures."""
    from django.contrib.auth.models import User
    from django.test import Client

    admin = User.objects.filter(username="benchmark").first() or User.objects.create_superuser("benchmark")
    client = Client(headers={"host": "localhost"})
    client.force_login(admin)
    reference = statistics.median(_times(client, REFERENCE))
    for slug, queries in PAGES.items():
        for query in queries:
            address = f"/admin/{f'analytics/{slug}/' if slug else ''}{query}"
            yield _finding(client, address, reference)
    for endpoint in ENDPOINTS:
        yield _finding(client, f"/api/v1/analytics/{endpoint}", reference)


def _finding(client: Any, address: str, reference: float) -> Finding:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    took = _times(client, address)
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    median, worst = statistics.median(took), max(took)
    measured = f"{median * 1000:.0f} ms, worst {worst * 1000:.0f} ms, {len(queries)} queries"
    met = worst < PAGE_SECONDS and len(queries) <= PAGE_QUERIES
    print(f"{address:<60} {measured}{'' if met else '  NOT MET'}", file=sys.stderr, flush=True)
    budget = f"{PAGE_SECONDS * 1000:.0f} ms, {PAGE_QUERIES} queries"
    return Finding(address, measured, f"{reference * 1000:.1f} ms", f"{median / reference:.0f}", budget, met)


def _times(client: Any, address: str) -> list[float]:
    took = []
    for number in range(REPEATS + 1):
        began = time.perf_counter()
        response = client.get(address)
        seconds = time.perf_counter() - began
        if response.status_code != 200:
            sys.exit(f"{address} answered {response.status_code}.")
        if number:  # The first request of a process fills its copies of the catalogue.
            took.append(seconds)
    return took


def _count(sql: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
