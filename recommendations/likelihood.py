"""The log-likelihood ratio of two products in one order. No Django here."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
# Imaginary orders of other things: where every order so far held the same two products, they still belong together.
IMAGINARY_ORDERS = 10
MINIMUM_SUPPORT = 2


def companionship(both: npt.NDArray[np.int64] | Floats, left: float, right: Floats, orders: float) -> Floats:
    """Return how strongly products belong together: 0 below 2 common orders, and where it is no more than chance.

    `both` counts the common orders, `left` and `right` those of either product, `orders` all.
    """
    total = orders + IMAGINARY_ORDERS
    ratios = log_likelihood_ratio(both, left, right, total)
    ratios[(both * total <= left * right) | (both < MINIMUM_SUPPORT)] = 0.0
    return ratios


def log_likelihood_ratio(both: npt.NDArray[np.int64] | Floats, left: float, right: Floats, total: float) -> Floats:
    """Return 2·(H(rows) + H(columns) − H(table)) of the 2×2 table of co-occurrence, in nats times N (Dunning 1993)."""
    only_left, only_right = left - both, right - both
    neither = total - left - right + both
    table = _entropy(both, only_left, only_right, neither)
    rows = _entropy(np.full(len(right), left), np.full(len(right), total - left))
    columns = _entropy(right, total - right)
    ratios: Floats = np.maximum(2.0 * (rows + columns - table), 0.0)
    return ratios


def _entropy(*counts: npt.NDArray[np.generic]) -> Floats:
    """Return N·H = N·ln N − Σ k·ln k, elementwise over parallel arrays of counts."""
    stacked = np.stack([np.asarray(count, np.float64) for count in counts])
    total: Floats = stacked.sum(axis=0)
    parts: Floats = _xlogx(stacked).sum(axis=0)
    return _xlogx(total) - parts


def _xlogx(values: Floats) -> Floats:
    safe: Floats = np.where(values > 0, values, 1.0)
    return safe * np.log(safe)
