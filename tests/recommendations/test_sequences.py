"""Sequential rules and session neighbours, against what can be counted by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.learning.events import Events
from recommendations.learning.sequences import latest_visits, sequential_rules
from recommendations.visit_neighbours import spread
from tests.recommendations.test_signals import DAYS, events

UNTIL = 100 * DAYS


def browsing(*visits: tuple[int, ...], products: int = 5) -> Events:
    """Return visits of yesterday, one product after the other, a minute apart."""
    rows = [
        (number, product, 99.0 + place / 1440, number)
        for number, visit in enumerate(visits)
        for place, product in enumerate(visit)
    ]
    return events(*rows, persons=len(visits), products=products)


def test_what_follows_at_once_counts_more_than_what_follows_later() -> None:
    found = sequential_rules(browsing((0, 1, 2), (0, 1), (1, 0)), until=UNTIL, half_life=1e9, most=5)
    first = dict(zip(found.rows()[0].columns.tolist(), found.rows()[0].scores.tolist(), strict=True))
    # Of 0: twice 1 at once, once 2 two steps later: 2.5, and 2 for damping. Rules end twice in 1, 1.5 times in 2.
    assert first == pytest.approx({1: 2 / 4.5 * 4.0**-0.1, 2: 0.5 / 4.5 * 3.5**-0.1})
    assert found.rows()[0].supports.tolist() == [2, 1]


def test_the_lines_of_one_order_have_no_sequence() -> None:
    order = events((0, 0, 50.0, 1), (0, 1, 50.0, 1), (0, 2, 50.0, 1))
    assert sequential_rules(order, until=UNTIL, half_life=90.0, most=5).scores.nnz == 0


def test_the_nearest_visits_say_what_comes_next_and_how_many_they_were() -> None:
    visits = latest_visits(browsing((0, 1, 2), (0, 1, 2), (3, 4), (0, 3)), until=UNTIL)
    products, scores, counts = visits.next_of(np.array([100, 101]), np.array([1.0, 1.0]))
    assert dict(zip(products.tolist(), counts.tolist(), strict=True)) == {102: 2, 103: 1}
    assert products[scores.argmax()] == 102


def test_a_stranger_to_all_visits_gets_nothing() -> None:
    visits = latest_visits(browsing((0, 1)), until=UNTIL)
    assert [len(part) for part in visits.next_of(np.array([999]), np.array([1.0]))] == [0, 0, 0]
    assert len(latest_visits(browsing((0,)), until=UNTIL).fading) == 0


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5, unique=True), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_next_never_holds_what_is_held_and_only_what_a_visit_held(visits: list[list[int]]) -> None:
    found = latest_visits(browsing(*map(tuple, visits)), until=UNTIL)
    products, scores, counts = found.next_of(np.array([100]), np.array([1.0]))
    beside = {100 + other for visit in visits if 0 in visit for other in visit} - {100}
    assert set(products.tolist()) == beside
    assert (scores > 0).all()
    assert counts.tolist() == [sum(0 in visit and one - 100 in visit for visit in visits) for one in products.tolist()]


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 4)), max_size=6))
def test_spans_are_spread_one_after_the_other(spans: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in spans], np.int64)
    ends = np.array([start + length for start, length in spans], np.int64)
    assert spread(starts, ends).tolist() == [
        number for start, length in spans for number in range(start, start + length)
    ]
