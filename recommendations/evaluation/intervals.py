"""How sure a mean is: percentile bootstrap over cases, by matrix products. No Django here."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from recommendations.evaluation.metrics import Values

RESAMPLES = 1000
# Below this many cases a bootstrap interval is too narrow to be believed (DiCiccio & Efron 1996, §7).
FEW_CASES = 30
# Bounds the memory of one chunk of resamples: so many draws at a time.
DRAWS = 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over cases, and the bounds between which 95 % of its resampled means lie."""

    mean: float
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        """Return the form in which reports keep it."""
        return {"mean": round(self.mean, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def intervals(values: Values, *, seed: int) -> list[Interval]:
    """Return the mean of each of the m columns of n × m values, with its 95 % interval.

    Cases are drawn with replacement, 1,000 times; all columns see the same draws, so a column that holds the
    differences of two others is a paired comparison. No case at all gives zeros.
    """
    if len(values) == 0:
        return [Interval(0.0, 0.0, 0.0)] * values.shape[1]
    low, high = np.percentile(_resampled(values, seed), [2.5, 97.5], axis=0)
    rows = zip(values.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True)
    return [Interval(*row) for row in rows]


def _resampled(values: Values, seed: int) -> Values:
    """Return the means of 1,000 samples of the rows of `values`, each as large as they are."""
    rng = np.random.default_rng(seed)
    n = len(values)
    at_once = max(1, min(RESAMPLES, DRAWS // n))
    parts = []
    for start in range(0, RESAMPLES, at_once):
        samples = min(at_once, RESAMPLES - start)
        drawn = rng.integers(n, size=(samples, n)) + np.arange(samples)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=samples * n).reshape(samples, n)
        parts.append(times @ values / n)
    return np.concatenate(parts)
