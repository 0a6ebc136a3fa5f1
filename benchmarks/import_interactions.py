"""How quickly events are imported, against a plain COPY of the same rows into the same table.

    python benchmarks/import_interactions.py FILE

Works in a scratch database of its own, which it removes. Prints rows per second, the ratio of both times (import ÷
COPY), and the peak memory of this process.
"""

# ruff: noqa: S608  Django is set up first; the names are our own
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from reemio.bootstrap import prepare

prepare()

import django

django.setup()

from django.db import connection

from interactions.importing.files import EventFile
from interactions.importing.run import import_interactions
from interactions.importing.staging import COLUMNS


def main(path: Path) -> None:
    """Measure the import, the import again, and the plain COPY."""
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        count, first = _import(path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        _, again = _import(path)
        copied = _copy()
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
    print(f"rows                 {count:,}")
    print(f"import               {first:.1f} s   {count / first:,.0f} rows/s")
    print(f"import again         {again:.1f} s   {count / again:,.0f} rows/s")
    print(f"plain COPY           {copied:.1f} s   {count / copied:,.0f} rows/s")
    print(f"import ÷ plain COPY  {first / copied:.2f}")
    print(f"peak memory          {peak:.0f} MiB")


def _import(path: Path) -> tuple[int, float]:
    file = EventFile(path)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        report = import_interactions(file=file, refused_to=Path(folder) / "refused.jsonl")
        took = time.perf_counter() - started
    file.close()
    print(report)
    return report.rows, took


def _copy() -> float:
    """Return the seconds that COPY takes for the rows that were imported, laid out before the clock started."""
    columns = ", ".join(COLUMNS)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY (SELECT {columns} FROM user_interactions ORDER BY id) TO STDOUT") as copy:
            text = b"".join(bytes(block) for block in copy)
        cursor.execute("TRUNCATE user_interactions, fresh_interactions")
        started = time.perf_counter()
        with cursor.copy(f"COPY user_interactions ({columns}) FROM STDIN") as copy:
            copy.write(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(Path(sys.argv[1]))
