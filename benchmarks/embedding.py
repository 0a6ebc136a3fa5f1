"""How quickly texts are embedded, against sentence-transformers' bare `encode` of the same texts by the same model.

python -m benchmarks.embedding [--texts 400]
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import ROOT, scratch
from benchmarks.table import Finding, show

ROUNDS = 3


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=400)
    show(measure(count=parser.parse_args().texts))


def measure(*, count: int = 400) -> list[Finding]:
    """Return the rate of `catalog.embedding.encode`, by turns with the bare one's; of each the best round."""
    with scratch("embedding"):
        from catalog import embedding

        with (ROOT / "reemio" / "demo" / "catalogue.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        texts = [f"{row['title']}. {row['description']} ({number})" for number, row in enumerate(rows[:count])]
        bare = embedding._model()
        ours, theirs = [], []
        bare.encode(texts[:50])
        for _ in range(ROUNDS):
            theirs.append(_seconds(lambda: bare.encode(texts)))
            ours.append(_seconds(lambda: embedding.encode(texts)))
    rate, reference = len(texts) / min(ours), len(texts) / min(theirs)
    return [
        Finding(f"embedding of {len(texts)} product texts", f"{rate:.0f}/s", f"bare encode {reference:.0f}/s",
                f"{rate / reference:.2f}", "≥ 0.90", rate >= 0.9 * reference),
    ]  # fmt: skip


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
