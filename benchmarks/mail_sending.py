"""Sending with the whole gate on, to a real SMTP server on this machine: mails per second of one sender.

`.venv/bin/python -m benchmarks.mail_sending [mails]` makes a database of its own and drops it again. The SMTP server
runs in a process of its own and counts. The reference is Django's plain backend sending the same finished mails over
one connection, without outbox or gate, in the same run.
"""

import multiprocessing
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

os.environ.setdefault("APP_ENV", "test")
os.environ.setdefault("LOG_LEVEL", "WARNING")
from reemio.bootstrap import prepare

prepare()

import django

django.setup()

import numpy as np
from aiosmtpd.controller import Controller
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import connection

from benchmarks.mail_planning import own_database
from campaigns import planners
from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage
from campaigns.sending.sender import send_due
from catalog.models import Product, ProductEmbedding
from recommendations.recorder import recorder
from tests.conftest import free_port

NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PRODUCTS = 1000
PEOPLE = """
INSERT INTO interactions_shopper (user_id, email, name, timezone, locale, marketing_consent, attributes)
SELECT 'u' || n, 'u' || n || '@example.com', 'Person ' || n, 'Africa/Nairobi', '', true, '{}'
FROM generate_series(1, %(people)s) n
"""
EVENTS = """
INSERT INTO user_interactions (interaction_type, user_id, product_id, occurred_at, extra_data)
SELECT CASE WHEN k <= 2 THEN 'cart_add' ELSE 'view' END, 'u' || n, 'p' || (n * 7 + k * 131) %% 1000,
    %(now)s::timestamptz - interval '3 hours' - interval '1 hour' * (k - 1) * 30, '{}'
FROM generate_series(1, %(people)s) n, generate_series(1, 12) k
"""


def serve(port: int, counts: Any, ready: Any, stop: Any) -> None:
    """Run the SMTP server; hand over what each recipient got when told to stop."""
    seen: Counter[str] = Counter()

    class Keeper:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            seen.update(envelope.rcpt_tos)
            return "250 OK"

    controller = Controller(Keeper(), hostname="127.0.0.1", port=port)
    controller.start()
    ready.set()
    stop.wait()
    controller.stop()
    counts.put(dict(seen))


def fill(people: int) -> None:
    """Make the shop: products with vectors, people with carts and a history."""
    random = np.random.default_rng(1)
    vectors = random.normal(size=(PRODUCTS, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    products = Product.objects.bulk_create(
        Product(
            product_id=f"p{number}", title=f"Product {number}", category=f"Things > Kind {number % 60}", price=10,
            currency="USD", image_url=f"/pictures/{number}.png", url=f"/p/{number}", stock_quantity=9,
        )
        for number in range(PRODUCTS)
    )  # fmt: skip
    ProductEmbedding.objects.bulk_create(
        ProductEmbedding(product=product, vector=vector, text_hash="x")
        for product, vector in zip(products, vectors, strict=True)
    )
    with connection.cursor() as cursor:
        for statement in (PEOPLE, EVENTS):
            cursor.execute(statement, {"people": people, "now": NOON})
        cursor.execute("ANALYZE")


def plain(port: int, mails: int) -> float:
    """Return mails per second of Django's backend alone."""
    backend = get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port)
    backend.open()
    began = time.perf_counter()
    for number in range(mails):
        mail = EmailMultiAlternatives("Subject", "text " * 300, "shop@example.com", [f"plain{number}@example.com"])
        mail.attach_alternative("<p>html</p>" * 1800, "text/html")
        backend.send_messages([mail])
    took = time.perf_counter() - began
    backend.close()
    return mails / took


def main(mails: int) -> None:
    """Send, and print."""
    context = multiprocessing.get_context("fork")
    port, counts, ready, stop = free_port(), context.Queue(), context.Event(), context.Event()
    server = context.Process(target=serve, args=(port, counts, ready, stop))
    connection.close()
    server.start()
    ready.wait()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    with own_database():
        fill(mails)
        Campaign.objects.update(mode="live", live_since=NOON - timedelta(days=365))
        reference = plain(port, min(mails, 500))
        planned = planners.plan(Kind.CART_ABANDONMENT, now=NOON)
        began = time.perf_counter()
        handed = send_due(clock=lambda: NOON, seconds=600)
        rate = handed / (time.perf_counter() - began)
        states = Counter(OutboxMessage.objects.values_list("state", flat=True))
        recorder.close()
    stop.set()
    got = {who: count for who, count in counts.get().items() if not who.startswith("plain")}
    server.join()
    print(f"load {os.getloadavg()[0]:.1f}; planned {planned:,}, handed over {handed:,}, states {dict(states)}")
    print(f"people who got a mail: {len(got):,}; most that one got: {max(got.values())}")
    print(f"one sender, gate on: {rate:.0f} mails/s; Django's backend alone: {reference:.0f} mails/s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
