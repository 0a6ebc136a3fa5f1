"""A version's neighbours and what was counted since, added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.contracts import NeighbourRow
from recommendations.likelihood import companionship
from recommendations.merging import Counted, merged_companions, merged_neighbours


def row(*entries: tuple[int, float, int]) -> NeighbourRow:
    products, scores, supports = zip(*entries, strict=True) if entries else ((), (), ())
    return NeighbourRow(np.array(products, np.int64), np.array(scores, np.float64), np.array(supports, np.int64))


def counted(own: float, *entries: tuple[int, int, float], total: float = 0.0) -> Counted:
    others, both, had = zip(*entries, strict=True) if entries else ((), (), ())
    return Counted(
        np.array(others, np.int64), np.array(both, np.int64), own, np.array(had, np.float64), total
    )  # fmt: skip


def test_without_news_a_row_stays_as_it_is() -> None:
    one = row((2, 0.5, 7), (3, 0.1, 2))
    assert merged_neighbours(one, counted(9, (2, 0, 8)), counted(0), most=5) is one
    assert merged_companions(one, counted(9, (2, 0, 8)), counted(0), most=5) is one


def test_supports_add_up_and_scores_follow_the_plain_cosine() -> None:
    before = counted(16, (2, 0, 16.0), (3, 0, 4.0), (4, 0, 9.0))
    merged = merged_neighbours(
        row((2, 0.5, 10), (3, 0.2, 2)), before, counted(9, (2, 5, 9.0), (4, 6, 7.0)), most=5
    )  # fmt: skip
    found = {
        int(p): (float(s), int(n)) for p, s, n in zip(merged.products, merged.scores, merged.supports, strict=True)
    }

    def plain(both: int, own: float, had: float) -> float:
        return both / (own * had) ** 0.5 * both / (both + 10)

    assert found[2] == (pytest.approx(0.5 * plain(15, 25, 25) / plain(10, 16, 16)), 15)
    assert found[3] == (0.2, 2)
    usual = (0.5 / plain(10, 16, 16) + 0.2 / plain(2, 16, 4)) / 2
    assert found[4] == (pytest.approx(usual * plain(6, 25, 16)), 6)


COUNTS = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 5), st.integers(0, 5))


@given(st.dictionaries(st.integers(2, 12), COUNTS, min_size=1), st.integers(0, 9), st.integers(0, 9))
def test_companions_are_scored_as_if_all_orders_had_been_learned_at_once(
    pairs: dict[int, tuple[int, int, int, int]], alone: int, alone_since: int
) -> None:
    """Both before, both since, and how often the other one was bought without: before and since."""
    products = np.array(sorted(pairs), np.int64)
    then, since, other_then, other_since = (
        np.array([pairs[p][place] for p in products.tolist()]) for place in range(4)
    )
    own_then, own_since = float(alone + then.max()), float(alone_since + since.max())
    total_then, total_since = own_then + float(other_then.sum()), own_since + float(other_since.sum())
    had_then, had_since = (then + other_then).astype(float), (since + other_since).astype(float)
    kept = then > 0
    stored = NeighbourRow(products[kept], np.ones(int(kept.sum())), then[kept])
    news = since > 0
    merged = merged_companions(
        stored,
        Counted(products, np.zeros(len(products), np.int64), own_then, had_then, total_then),
        Counted(products[news], since[news], own_since, had_since[news], total_since),
        most=50,
    )
    if not news.any():
        assert merged is stored
        return
    # What was not had together since may have been bought alone since: that is not looked up.
    had = had_then + np.where(news, had_since, 0)
    full = companionship(then + since, own_then + own_since, np.maximum(had, then + since), total_then + total_since)
    expected = {int(p): float(score) for p, score in zip(products, full, strict=True) if score > 0}
    assert dict(zip(merged.products.tolist(), merged.scores.tolist(), strict=True)) == pytest.approx(expected)
    assert (np.diff(merged.scores) <= 0).all()
    both = dict(zip(products.tolist(), (then + since).tolist(), strict=True))
    assert merged.supports.tolist() == [both[product] for product in merged.products.tolist()]
