"""How the homepage's p50 grows with the shop: 1,000 products and 10⁵ interactions against 100,000 and 10⁷.

    python -m benchmarks.growth [--products 100000] [--interactions 10000000] [--seconds 10]

Makes both shops one after the other; the large one takes several minutes and some 8 GB of disk, which it gives back.
"""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.scratch import ROOT, scratch
from benchmarks.server import sequential, serving
from benchmarks.table import Finding, show

SMALL = (1_000, 100_000)


def main() -> None:
    """Measure both shops and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--interactions", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", action="store_true", help="print the p50 of this one shop")
    options = parser.parse_args()
    if options.only:
        print(_p50_here(options.products, options.interactions, seconds=options.seconds))
        return
    show(measure((options.products, options.interactions), seconds=options.seconds))


def measure(large: tuple[int, int] = (100_000, 10_000_000), *, seconds: float = 10) -> list[Finding]:
    """Return how much slower the large shop's homepage is."""
    small, big = (p50_of(*size, seconds=seconds) for size in (SMALL, large))
    what = f"homepage's p50 at {large[0]:,} products, {large[1]:,} interactions"
    reference = f"{small:.2f} ms at {SMALL[0]:,} and {SMALL[1]:,}"
    return [Finding(what, f"{big:.2f} ms", reference, f"{big / small:.2f}", "< 2", big < 2 * small)]


def p50_of(products: int, interactions: int, *, seconds: float) -> float:
    """Return the p50 of one shop, made and asked by a process of its own: each keeps copies of its database."""
    command = [sys.executable, "-m", "benchmarks.growth", "--only", "--products", str(products), "--interactions",
               str(interactions), "--seconds", str(seconds)]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


def _p50_here(products: int, interactions: int, *, seconds: float) -> float:
    with scratch("growth"):
        from benchmarks.shop import make_shop

        began = time.perf_counter()
        shop = make_shop(products=products, interactions=interactions, search_index=False)
        took = time.perf_counter() - began
        print(f"made {products:,} products, {interactions:,} interactions in {took:.0f} s", file=sys.stderr)
        pages = [f"/api/v1/recommendations/homepage?limit=10&user_id={user}" for user in shop.users]
        with serving() as port:
            sequential(port, pages, seconds=5)
            return min(statistics.median(sequential(port, pages, seconds=seconds / 3)) for _ in range(3))


if __name__ == "__main__":
    main()
