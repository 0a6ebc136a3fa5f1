"""The homepage of known shoppers with 20 events each: latency, and throughput against a bare view on the same server.

    python -m benchmarks.homepage [--seconds 5] [--mixed]

The reference is a DRF view with the product's middleware, authentication and throttling that returns the bytes of a
homepage from memory: what the framework itself allows. Nothing is cached between two requests of one shopper. With
`--mixed`, a tuned version answers, whose homepage mixes eight signals. Makes a shop of its own, and removes it.
"""

import argparse
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import scratch
from benchmarks.server import concurrent, processor_seconds, sequential, serving
from benchmarks.table import Finding, show

ECHO = ["/benchmark/echo"]
ROUNDS = 3
# As `tune` chooses them: own repeats, neighbour lists, similar shoppers, levels.
MIX = {"ease": 0.2, "audience": 0.15, "similar": 0.15, "own_often": 0.1, "own_due": 0.1, "alike": 0.1,
       "popular_14": 0.1, "taste": 0.1}  # fmt: skip


def main() -> None:
    """Measure by turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5, help="for each measurement")
    parser.add_argument("--mixed", action="store_true", help="let a tuned version answer")
    options = parser.parse_args()
    show(measure(seconds=options.seconds, mix=MIX if options.mixed else None))


def measure(*, seconds: float = 5, mix: dict[str, float] | None = None) -> list[Finding]:
    """Return the findings of both budgets; of the rounds, each has the one with the least disturbance."""
    with scratch("homepage"):
        from benchmarks.shop import make_shop

        shop = make_shop(products=1_000, interactions=100_000, mix=mix)
        return compare(shop.users, seconds=seconds, of="homepage, tuned mix" if mix else "homepage")


def compare(users: Sequence[str], *, seconds: float, of: str) -> list[Finding]:
    """Ask for these shoppers' homepages and for the bare view by turns, in the shop that is there."""
    pages = [f"/api/v1/recommendations/homepage?limit=10&user_id={user}" for user in users]
    with serving() as port:
        for paths in (ECHO, pages):
            sequential(port, paths, seconds=2)
        means = {name: [] for name in ("echo", "page")}
        rates = {name: [] for name in ("echo", "page")}
        costs = {name: [] for name in ("echo", "page")}
        for _ in range(ROUNDS):
            for name, paths in (("echo", ECHO), ("page", pages)):
                means[name].append(statistics.fmean(sequential(port, paths, seconds=seconds / ROUNDS)))
            for name, paths in (("echo", ECHO), ("page", pages)):
                before = processor_seconds(port)
                rates[name].append(concurrent(port, paths, seconds=seconds / ROUNDS))
                answered = rates[name][-1] * seconds / ROUNDS
                costs[name].append((processor_seconds(port) - before) / answered * 1000)
    latency, bare = min(means["page"]), min(means["echo"])
    cost, bare_cost = min(costs["page"]), min(costs["echo"])
    ratio = statistics.median(page / echo for page, echo in zip(rates["page"], rates["echo"], strict=True))
    return [
        Finding(f"{of}: mean latency, n = 10", f"{latency:.2f} ms", f"bare view {bare:.2f} ms",
                f"{latency / bare:.2f}", "5.1 ms", latency <= 5.1),
        Finding(f"{of}: throughput", f"{max(rates['page']):.0f}/s", f"bare view {max(rates['echo']):.0f}/s",
                f"{ratio:.2f}", "≥ 0.40", ratio >= 0.4),
        Finding(f"{of}: processor time, web and database", f"{cost:.2f} ms", f"bare view {bare_cost:.2f} ms",
                f"{cost / bare_cost:.2f}", ""),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
