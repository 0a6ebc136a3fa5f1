"""Exponential decay of weights over days. No Django here."""

import math
from datetime import datetime

import numpy as np
import numpy.typing as npt

SECONDS_PER_DAY = 86_400.0
# The brief's recency: weight × exp(−days / 30).
DECAY_DAYS = 30.0


def decay(then: datetime, now: datetime, *, days: float) -> float:
    """Return exp(−(now − then)/days), the brief's recency; 1 for what is not in the past."""
    age = (now - then).total_seconds() / SECONDS_PER_DAY
    return math.exp(-max(age, 0.0) / days)


def decayed(ages_in_days: npt.NDArray[np.float64], *, days: float) -> npt.NDArray[np.float64]:
    """Return exp(−age/days) of each age, in days; 1 for what is not in the past."""
    return np.exp(-np.maximum(ages_in_days, 0.0) / days)
