"""How long `POST /interactions/batch` with 1,000 events takes, over HTTP, against a plain COPY of the same rows.

python -m benchmarks.batch_ingestion [--rounds 30]
"""

import argparse
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.server import Client, serving
from benchmarks.table import Finding, show

SIZE = 1000
BUDGET_MS = 58
ADDRESS = "/api/v1/interactions/batch"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    show(measure(rounds=parser.parse_args().rounds))


def measure(*, rounds: int = 30) -> list[Finding]:
    """Post `rounds` batches, then copy the rows of each into the emptied table."""
    with scratch("batch"):
        return compare(rounds=rounds)


def compare(*, rounds: int = 30) -> list[Finding]:
    """Post to the shop that is there, then take the rows away and copy them back."""
    with serving(workers=1) as port:
        posted = _post(port, rounds)
    copied = _copy(rounds)
    batch, copy = statistics.median(posted), statistics.median(copied)
    return [
        Finding(f"batch of {SIZE:,} interactions: median", f"{batch:.1f} ms (best {min(posted):.1f})",
                f"COPY of the same rows {copy:.1f} ms", f"{batch / copy:.2f}", f"{BUDGET_MS} ms", batch <= BUDGET_MS),
    ]  # fmt: skip


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


def _post(port: int, rounds: int) -> list[float]:
    client, took = Client(port), []
    for turn in range(rounds + 3):
        body = json.dumps({"interactions": [_event(number) for number in range(SIZE)]}).encode()
        started = time.perf_counter()
        status, answer = client.post(ADDRESS, body)
        elapsed = 1000 * (time.perf_counter() - started)
        assert status == 201, answer[:500]
        assert json.loads(answer)["accepted"] == SIZE
        if turn >= 3:  # the first ones warm up
            took.append(elapsed)
    return took


def _copy(rounds: int) -> list[float]:
    from django.db import connection

    from interactions.importing.staging import COLUMNS

    columns = ", ".join(COLUMNS)
    took = []
    with connection.cursor() as cursor:
        ours = "FROM user_interactions WHERE event_id IS NOT NULL"
        statement = f"COPY (SELECT {columns} {ours} ORDER BY id) TO STDOUT"
        with cursor.copy(statement) as copy:
            lines = b"".join(bytes(block) for block in copy).splitlines(keepends=True)
        cursor.execute("TRUNCATE fresh_interactions")
        cursor.execute(f"DELETE {ours}")
        cursor.execute("VACUUM user_interactions")
        for turn in range(rounds):
            text = b"".join(lines[turn * SIZE : (turn + 1) * SIZE])
            started = time.perf_counter()
            with cursor.copy(f"COPY user_interactions ({columns}) FROM STDIN") as copy:
                copy.write(text)
            took.append(1000 * (time.perf_counter() - started))
    return took


if __name__ == "__main__":
    main()
