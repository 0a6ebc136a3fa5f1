"""How quickly events are imported, against a plain COPY of the same rows into the same table, with all its indexes.

    python -m benchmarks.import_interactions [FILE]

Without a file it makes one: 300,000 rows of 20,000 shoppers, each with a time of its own.
"""

import argparse
import csv
import random
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.table import Finding, show

ROWS = 300_000
BUDGET = 50_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    show(measure(parser.parse_args().file))


def measure(path: Path | None = None) -> list[Finding]:
    """Measure the import, the import again, and the plain COPY."""
    with scratch("import"):
        return compare(path)


def compare(path: Path | None = None) -> list[Finding]:
    """Import into the shop that is there; the plain COPY is measured after its rows were taken away again."""
    with tempfile.TemporaryDirectory() as folder:
        path = path or _made(Path(folder) / "events.csv")
        count, first = _import(path, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _, again = _import(path, Path(folder))
        copied = _copy()
    rate, plain = count / first, count / copied
    return [
        Finding(f"import of {count:,} rows", f"{rate:,.0f}/s", f"COPY of the same rows {plain:,.0f}/s",
                f"{rate / plain:.2f}", f"{BUDGET:,}/s", rate >= BUDGET),
        Finding("import of the same file again", f"{count / again:,.0f}/s", "", "", ""),
        Finding("import: peak memory", f"{peak:.0f} MiB", "", "", ""),
    ]  # fmt: skip


def _made(path: Path) -> Path:
    draw = random.Random(11)
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "session_id", "product_id", "interaction_type", "occurred_at", "order_id", "quantity",
                       "unit_price"])  # fmt: skip
        for number in range(ROWS):
            moment += timedelta(seconds=draw.randrange(1, 120))
            kind = draw.choice(["view", "view", "view", "cart_add", "purchase"])
            bought = kind == "purchase"
            rows.writerow([
                f"user-{draw.randrange(20_000)}", f"visit-{number // 6}", f"product-{draw.randrange(4_000)}", kind,
                moment.strftime("%Y-%m-%dT%H:%M:%SZ"), f"order-{number // 3}" if bought else "",
                1 + number % 3 if bought else "", f"{draw.randrange(100, 20_000) / 100:.2f}" if bought else "",
            ])  # fmt: skip
    return path


def _import(path: Path, folder: Path) -> tuple[int, float]:
    from interactions.importing.files import EventFile
    from interactions.importing.run import import_interactions

    file = EventFile(path)
    started = time.perf_counter()
    report = import_interactions(file=file, refused_to=folder / "refused.jsonl")
    took = time.perf_counter() - started
    file.close()
    assert report.refused == 0, report.reasons
    return report.rows, took


def _copy() -> float:
    """Return the seconds that COPY takes for the rows that were imported, laid out before the clock started."""
    from django.db import connection

    from interactions.importing.staging import COLUMNS

    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        ours = "FROM user_interactions WHERE event_id IS NOT NULL"
        statement = f"COPY (SELECT {columns} {ours} ORDER BY id) TO STDOUT"
        with cursor.copy(statement) as copy:
            text = b"".join(bytes(block) for block in copy)
        cursor.execute("TRUNCATE fresh_interactions")
        cursor.execute(f"DELETE {ours}")
        cursor.execute("VACUUM user_interactions")
        started = time.perf_counter()
        with cursor.copy(f"COPY user_interactions ({columns}) FROM STDIN") as copy:
            copy.write(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
