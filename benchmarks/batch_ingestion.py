"""How long `POST /interactions/batch` with 1,000 events takes, over HTTP, against a plain COPY of the same rows.

    python benchmarks/batch_ingestion.py [ROUNDS]

Runs granian on the loopback interface with a scratch database of its own, which it removes. Prints the median and the
fastest round in milliseconds, and the ratio (batch ÷ COPY).
"""

# ruff: noqa: S608  Django is set up first; the names are our own
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from reemio.bootstrap import prepare

prepare()

import django

django.setup()

import httpx
from django.db import connection

from interactions.importing.staging import COLUMNS

SIZE = 1000
BUDGET_MS = 58


def main(rounds: int) -> None:
    """Post `rounds` batches, then copy the rows of each into the emptied table."""
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    server, url = _serve(name)
    try:
        posted = _post(url, rounds)
        copied = _copy(rounds)
    finally:
        server.terminate()
        server.wait()
        connection.creation.destroy_test_db(name, verbosity=0)
    batch, copy = statistics.median(posted), statistics.median(copied)
    print(f"batch of {SIZE:,} over HTTP  median {batch:.1f} ms  fastest {min(posted):.1f} ms  (budget {BUDGET_MS} ms)")
    print(f"COPY of the same rows   median {copy:.1f} ms  fastest {min(copied):.1f} ms")
    print(f"batch ÷ COPY            {batch / copy:.2f}")


def _serve(database: str) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    parts = connection.settings_dict
    address = f"postgresql://{parts['USER']}@/{database}?host={parts['HOST']}"
    environment = {**os.environ, "DATABASE_URL": address, "LOG_LEVEL": "ERROR", "REEMIO_THROTTLE_WRITE": "100000/min"}
    command = [
        str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--port", str(port), "--workers", "1",
        "--log-level", "error", "reemio.wsgi:application",
    ]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    url = f"http://127.0.0.1:{port}/api/v1/interactions/batch"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return server, url
    server.kill()
    raise SystemExit("The server did not start.")


def _event(number: int) -> dict[str, Any]:
    """Return an event as a storefront sends them, of 5,000 users and 20,000 sessions."""
    return {
        "interaction_type": random.choice(["view", "view", "cart_add", "purchase"]),
        "user_id": f"user-{random.randrange(5000)}",
        "session_id": f"session-{random.randrange(20000)}",
        "product_id": f"product-{random.randrange(4000)}",
        "event_id": f"{random.getrandbits(122):032x}",
        "occurred_at": "2026-01-20T10:00:00Z",
        "quantity": 1 + number % 3,
        "unit_price": "12.50",
        "currency": "USD",
        "extra_data": {"timeOnPageSeconds": 30, "device": "mobile", "scrollDepthPercent": 50},
    }


def _post(url: str, rounds: int) -> list[float]:
    took = []
    with httpx.Client() as client:
        for turn in range(rounds + 3):
            body = json.dumps({"interactions": [_event(number) for number in range(SIZE)]})
            started = time.perf_counter()
            answer = client.post(url, content=body, headers={"Content-Type": "application/json"})
            elapsed = 1000 * (time.perf_counter() - started)
            assert answer.json()["accepted"] == SIZE, answer.text[:500]
            if turn >= 3:  # the first ones warm up
                took.append(elapsed)
    return took


def _copy(rounds: int) -> list[float]:
    columns = ", ".join(COLUMNS)
    took = []
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT {columns} FROM user_interactions ORDER BY id) TO STDOUT") as copy:
            lines = b"".join(bytes(block) for block in copy).splitlines(keepends=True)
        cursor.execute("TRUNCATE user_interactions, fresh_interactions")
        for turn in range(rounds):
            text = b"".join(lines[turn * SIZE : (turn + 1) * SIZE])
            started = time.perf_counter()
            with cursor.copy(f"COPY user_interactions ({columns}) FROM STDIN") as copy:
                copy.write(text)
            took.append(1000 * (time.perf_counter() - started))
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30)
