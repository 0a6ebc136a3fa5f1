"""One number a product, the same for everybody: popularity at several half-lives, trends, usual intervals. Pure."""

import numpy as np

from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.events import Events
from recommendations.learning.sparse import Floats
from recommendations.signals import POPULARITY_HALF_LIVES, TRENDS

INTERVAL = "interval"


def levels(events: Events, *, until: float) -> dict[str, Floats]:
    """Return every level of every product, each in [0, 1]; `until` in epoch seconds.

    Popularity is √(count / largest count), the root lifting what is not at the very top; for trends see `trend`.
    """
    found = {code: popularity(events, until=until, half_life=days) for code, days in POPULARITY_HALF_LIVES.items()}
    found = {code: np.sqrt(counts / max(counts.max(initial=0.0), 1e-12)) for code, counts in found.items()}
    return found | {code: trend(events, until=until, short=short, long=long) for code, (short, long) in TRENDS.items()}


def popularity(events: Events, *, until: float, half_life: float) -> Floats:
    """Return Σ weight × 2^(−days / half-life) of each product's positive events."""
    ages = np.maximum(until - events.moment, 0) / SECONDS_PER_DAY
    weights = np.maximum(events.weight, 0) * np.exp2(-ages / half_life)
    return np.bincount(events.product, weights, len(events.products)).astype(np.float64)


def trend(events: Events, *, until: float, short: float, long: float) -> Floats:
    """Return how much faster each product goes than it used to, in [0, 1]: ½ as ever, 1 at 32 times, 0 at 1/32.

    ½ + log₂((rate over `short` + p) / (rate over `long` + p)) / 10, with p a tenth of the mean rate; half-lives in
    days. The long rate takes into account that the shop may be younger than its half-life.
    """
    fast = popularity(events, until=until, half_life=short) / short
    slow = popularity(events, until=until, half_life=long)
    seen = max((until - float(events.moment.min())) / SECONDS_PER_DAY, 1.0) if len(events) else 1.0
    slow = slow / (long * (1 - 2 ** (-seen / long)))
    prior = 0.1 * slow.mean() + 1e-12 if len(slow) else 1e-12
    return np.clip(0.5 + np.log2((fast + prior) / (slow + prior)) / 10, 0, 1)
