"""Planning for a shop of 200,000 people: time, and the memory of the planner's own process.

`.venv/bin/python -m benchmarks.mail_planning [people]` makes a database `reemio_benchmark` of its own on the configured
server and drops it again. The reference is a plain `SELECT count(*)` over the same events, in the same run.
"""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

os.environ.setdefault("APP_ENV", "test")
from reemio.bootstrap import prepare

prepare()

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage

SUNDAY = datetime(2026, 11, 29, 11, 0, tzinfo=UTC)  # 11:00 in London, 14:00 in Nairobi
PEOPLE = """
INSERT INTO interactions_shopper (user_id, email, name, timezone, locale, marketing_consent, attributes)
SELECT 'u' || n, 'u' || n || '@example.com', 'Person ' || n,
    (ARRAY['Africa/Nairobi', 'Europe/London', 'Europe/Berlin', ''])[1 + n %% 4], '', true, '{}'
FROM generate_series(1, %(people)s) n
"""
PRODUCTS = """
INSERT INTO catalog_product (product_id, title, description, category, brand, price, currency, image_url, url,
    stock_quantity, is_active, attributes, changed_in, created_at)
SELECT 'p' || n, 'Product ' || n, '', 'Things > Kind ' || n %% 200, '', 10, 'USD', '', '/p' || n, 5, true, '{}', 0,
    %(now)s::timestamptz - CASE WHEN n %% 40 = 0 THEN interval '2 days' ELSE interval '200 days' END
FROM generate_series(1, 5000) n
"""
# Ten events each over 60 days; a tenth of the people left a cart between two and 26 hours ago.
EVENTS = """
INSERT INTO user_interactions (interaction_type, user_id, product_id, occurred_at, extra_data)
SELECT (ARRAY['view', 'view', 'view', 'purchase', 'wishlist_add'])[1 + (n + k) %% 5], 'u' || n,
    'p' || 1 + (n * 7 + k) %% 5000,
    %(now)s::timestamptz - interval '27 hours' - interval '1 minute' * ((n * 13 + k * 8641) %% 84000), '{}'
FROM generate_series(1, %(people)s) n, generate_series(1, 10) k
"""
CARTS = """
INSERT INTO user_interactions (interaction_type, user_id, product_id, occurred_at, extra_data)
SELECT 'cart_add', 'u' || n, 'p' || 1 + n %% 5000,
    %(now)s::timestamptz - interval '3 hours' - interval '1 minute' * (n %% 1000), '{}'
FROM generate_series(10, %(people)s, 10) n
"""
TASTES = """
INSERT INTO tastes (subject, as_of, vector, weight, categories, events)
SELECT 'u:u' || n, %(now)s, array_fill(0::real, ARRAY[384])::vector, 1,
    jsonb_build_object('Things > Kind ' || n %% 200, 1, 'Things > Kind ' || (n * 3) %% 200, 0.5), 10
FROM generate_series(1, %(people)s) n
"""
WAITING = """
INSERT INTO campaigns_stockalert (product_id, user_id, email, address_hash, created_at)
SELECT p.id, 'u' || n, '', '', %(now)s::timestamptz - interval '2 days'
FROM generate_series(1, 5000) n, catalog_product p WHERE p.product_id = 'p1'
"""


@contextmanager
def own_database() -> Iterator[None]:
    """Work in a database of our own, and drop it."""
    name = settings.DATABASES["default"]["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS reemio_benchmark")
        cursor.execute("CREATE DATABASE reemio_benchmark")
    connection.close()
    connection.settings_dict["NAME"] = "reemio_benchmark"
    try:
        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE reemio_benchmark")


def fill(people: int) -> None:
    """Make the shop."""
    names = {"people": people, "now": SUNDAY}
    with connection.cursor() as cursor:
        for statement in (PEOPLE, PRODUCTS, EVENTS, CARTS, TASTES, WAITING):
            cursor.execute(statement, names)
        cursor.execute("UPDATE catalog_product SET stock_quantity = 0 WHERE product_id = 'p1'")
        cursor.execute("UPDATE catalog_product SET stock_quantity = NULL WHERE product_id = 'p1'")
        cursor.execute("UPDATE catalog_restock SET restocked_at = %s", [SUNDAY - timedelta(minutes=15)])
        cursor.execute("ANALYZE")


def seconds(statement: str) -> float:
    """Return how long a statement takes."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.fetchall()
    return time.perf_counter() - began


def main(people: int) -> None:
    """Plan all four campaigns, twice, and print."""
    with own_database():
        fill(people)
        Campaign.objects.update(mode="live", live_since=SUNDAY - timedelta(days=365))
        reference = seconds("SELECT count(*) FROM user_interactions")
        print(
            f"{people:,} people, load {os.getloadavg()[0]:.1f}; the reference, counting all events: {reference:.2f} s"
        )
        for kind in Kind.values:
            for name in ("first", "again"):
                began = time.perf_counter()
                planned = planners.plan(kind, now=SUNDAY)
                took = time.perf_counter() - began
                print(f"{kind:18} {name}: {planned:8,} rows in {took:6.2f} s ({took / reference:6.1f} × the reference)")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_size_pretty(pg_total_relation_size(%s))", [OutboxMessage._meta.db_table])
            size = cursor.fetchone()[0]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"outbox: {OutboxMessage.objects.count():,} rows, {size}; this process at its peak: {peak:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
