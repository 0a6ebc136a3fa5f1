"""The budgets again, in one large shop: 100,000 products, one million shoppers, ten million interactions.

    python -m benchmarks.large [--write] [--products 100000] [--shoppers 1000000] [--interactions 10000000]

Makes the shop once (several minutes and some 12 GB of disk, given back at the end), then measures in it the homepage,
its growth against a small shop, the search for what is near, a training, a batch over HTTP and an import, each against
its reference. `implicit` is the reference of training where it is installed (`pip install --no-deps implicit`).
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import batch_ingestion, growth, homepage, import_interactions, search_recall
from benchmarks.scratch import ROOT, scratch
from benchmarks.server import sequential, serving
from benchmarks.table import Finding, show, text_of, write
from benchmarks.training import NEIGHBOURS, fit_reference, name_of_reference

MEMORY_MIB = 4096
PAGE = ROOT / "docs" / "performance.md"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--shoppers", type=int, default=1_000_000)
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=10, help="for each measurement of the homepage")
    parser.add_argument(
        "--part", choices=["train", "neighbours"], help="that alone, in the database that is configured"
    )
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return
    findings = measure(options.products, options.shoppers, options.interactions, seconds=options.seconds)
    show(findings)
    if options.write:
        write(f"{datetime.now(UTC).date()}, `python -m benchmarks.large`:\n\n{text_of(findings)}", PAGE, "large")


def measure(products: int, shoppers: int, interactions: int, *, seconds: float) -> list[Finding]:
    """Make the shop, and return what each benchmark found in it."""
    small = growth.p50_of(*growth.SMALL, seconds=seconds)
    with scratch("large"):
        from benchmarks.shop import clustered, make_shop

        began = time.perf_counter()
        shop = make_shop(products=products, interactions=interactions, shoppers=shoppers)
        made = f"{products:,} products, {shoppers:,} shoppers, {interactions:,} interactions"
        print(f"made {made} in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        steps: list[Callable[[], list[Finding]]] = [
            lambda: [_growth(shop.users, small, seconds=seconds)],
            lambda: homepage.compare(shop.users, seconds=seconds, of="homepage"),
            lambda: search_recall.compare(clustered(products)),
            lambda: _training(interactions),
            _pruning,
            batch_ingestion.compare,
            import_interactions.compare,
        ]
        findings = []
        for step in steps:
            findings += step()
            print(text_of(findings), file=sys.stderr, flush=True)
    return findings


def _growth(users: tuple[str, ...], small: float, *, seconds: float) -> Finding:
    pages = [f"/api/v1/recommendations/homepage?limit=10&user_id={user}" for user in users]
    with serving() as port:
        sequential(port, pages, seconds=5)
        big = min(statistics.median(sequential(port, pages, seconds=seconds / 3)) for _ in range(3))
    reference = f"{small:.2f} ms at {growth.SMALL[0]:,} products, {growth.SMALL[1]:,} interactions"
    return Finding("homepage: p50", f"{big:.2f} ms", reference, f"{big / small:.2f}", "< 2", big < 2 * small)


def _training(interactions: int) -> list[Finding]:
    """Train, and fit the reference, each in a process of its own, whose peak memory is its own."""
    neighbours, whole = (_part(name) for name in ("neighbours", "train"))
    ratio = neighbours["ours"] / neighbours["reference"]
    steps = ", ".join(f"{name} {value:.0f}" for name, value in whole["steps"].items())
    return [
        Finding(f"neighbours of {interactions:,} interactions", f"{neighbours['ours']:.0f} s",
                f"{neighbours['name']} {neighbours['reference']:.0f} s", f"{ratio:.2f}", "≤ 2", ratio <= 2),
        Finding("train, all of it", f"{whole['seconds']:.0f} s ({steps})", "", "", ""),
        Finding("train: peak memory", f"{whole['peak']:,.0f} MiB", "", "", f"{MEMORY_MIB:,} MiB",
                whole["peak"] <= MEMORY_MIB),
    ]  # fmt: skip


def _pruning() -> list[Finding]:
    """Clear the oldest events as the nightly job does, for a minute or until three of sixty days are gone."""
    from django.utils import timezone

    from analytics.rollups.run import roll_up
    from reemio.retention.clearing import BITE
    from reemio.retention.kinds import clear_interactions

    roll_up()  # nothing is cleared that was never counted
    before, took, gone = timezone.now() - timedelta(days=57), [], 0
    while sum(took) < 60:
        began = time.perf_counter()
        count = clear_interactions(before, BITE)
        if not count:
            break
        took.append(time.perf_counter() - began)
        gone += count
    what = f"old events cleared, {BITE:,} a transaction"
    return [Finding(what, f"{gone / sum(took):,.0f}/s, longest {max(took) * 1000:.0f} ms", f"{gone:,} rows", "", "")]


def _part(name: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.large", "--part", name]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def _train() -> dict:
    """Return the seconds of a whole training and of its steps, and this process' peak memory in MiB."""
    _set_up()
    from recommendations.learning.train import train

    began = time.perf_counter()
    version = train(progress=lambda step: print(step, file=sys.stderr, flush=True))
    seconds = time.perf_counter() - began
    steps = {name.removesuffix(", seconds"): value for name, value in version.figures.items() if "seconds" in name}
    return {"seconds": seconds, "steps": steps, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def _neighbours() -> dict:
    """Return the seconds that the reference and our neighbours take for the shop's matrix, read and made before."""
    _set_up()
    from django.utils import timezone

    from recommendations.learning.matrices import interest_matrix
    from recommendations.learning.neighbours import item_neighbours
    from recommendations.learning.reading import read_events
    from recommendations.selectors import event_weights

    now = timezone.now()
    interest = interest_matrix(read_events(until=now, event_weights=event_weights()), until=now.timestamp())
    reference = _seconds(lambda: fit_reference(interest))
    ours = _seconds(lambda: sum(1 for _ in item_neighbours(interest, most=NEIGHBOURS)))
    return {"ours": ours, "reference": reference, "name": name_of_reference()}


PARTS = {"train": _train, "neighbours": _neighbours}


def _set_up() -> None:
    from reemio.bootstrap import prepare

    prepare()
    import django

    django.setup()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
