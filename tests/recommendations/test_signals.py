"""What the tuned signals say, against slow and obvious computations of the same."""

import math

import numpy as np
import pytest
import scipy.sparse as sp

from recommendations.contracts import PlacementSettings, Source, Votes
from recommendations.decay import SECONDS_PER_DAY
from recommendations.learning.companions import audience, cooccurrence, successors
from recommendations.learning.ease import ease, forecast
from recommendations.learning.events import Events
from recommendations.learning.levels import levels, popularity, trend
from recommendations.learning.material import Material
from recommendations.learning.own import OwnRepeats
from recommendations.learning.sparse import entries, top_of_rows
from recommendations.repeats import OwnHistory, own_signals
from recommendations.scoring import blend, rescale

DAYS = SECONDS_PER_DAY


def events(*rows: tuple[int, int, float, int], persons: int = 3, products: int = 3) -> Events:
    """Return purchases of weight 1: person, product, day and visit of each."""
    columns = list(zip(*rows, strict=True))
    visits = np.array(columns[3], np.int64)
    return Events(
        person=np.array(columns[0], np.int32),
        product=np.array(columns[1], np.int32),
        weight=np.ones(len(rows), np.float32),
        moment=np.array(columns[2]) * DAYS,
        order=visits + 1,
        bought=np.ones(len(rows), bool),
        visit=visits,
        known=np.ones(len(rows), bool),
        persons=np.arange(persons),
        products=np.arange(products) + 100,
    )


def test_ease_is_the_closed_form_of_a_naive_inverse() -> None:
    dense = np.random.default_rng(3).integers(0, 3, (40, 6)).astype(float)
    inverse = np.linalg.inv(dense.T @ dense + 5.0 * np.eye(6))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0.0)
    found = ease(sp.csr_matrix(dense), ridge=5.0, most=10)
    assert found is not None
    assert (expected < 0).any()
    np.testing.assert_allclose(found.scores.toarray(), expected, atol=1e-10)
    pairs = sp.coo_matrix(found.scores)
    both = [int(((dense[:, i] > 0) & (dense[:, j] > 0)).sum()) for i, j in zip(pairs.row, pairs.col, strict=True)]
    assert found.supports.tolist() == both


def test_ease_learns_of_the_heaviest_products_in_shops_that_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recommendations.learning.ease.MOST_PRODUCTS", 2)
    found = ease(sp.csr_matrix([[1.0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 1]]), ridge=1.0, most=2)
    assert found is not None
    assert sorted(np.flatnonzero(np.diff(found.scores.indptr)).tolist()) == [0, 3]
    assert ease(sp.csr_matrix((5, 4)), ridge=1.0, most=2) is None


def test_a_forecast_is_the_ridge_regression_of_what_came_after() -> None:
    rng = np.random.default_rng(4)
    before, after = rng.integers(0, 3, (30, 5)).astype(float), rng.integers(0, 2, (30, 5)).astype(float)
    weight = rng.random(30)
    expected = np.linalg.solve((before.T * weight) @ before + 2.0 * np.eye(5), (before.T * weight) @ after)
    found = forecast(
        sp.csr_matrix(before), sp.csr_matrix(after), weight, ridge=2.0, most=10, support_from=sp.csr_matrix(before)
    )
    assert found is not None
    np.testing.assert_allclose(found.scores.toarray(), expected, atol=1e-10)


def test_windows_hold_what_was_known_before_them_and_taken_in_them() -> None:
    some = events((0, 0, 0.0, 1), (0, 1, 95.0, 2), (1, 2, 50.0, 3), (1, 0, 85.0, 4), (1, 1, 85.0, 4))
    before, after, weight = Material(some, until=100 * DAYS, purchase_weight=1.0).windows(
        60.0, most=2, days=28.0, fading=0.5
    )
    assert after.toarray().tolist() == [[0, 1, 0], [1, 1, 0]]
    expected = [[2 ** (-90 / 120), 0, 0], [0, 0, 2 ** (-30 / 120)]]
    np.testing.assert_allclose(before.toarray(), expected)
    assert weight.tolist() == pytest.approx([1.0, 0.5 / math.sqrt(2)])


def test_popularity_halves_with_every_half_life() -> None:
    some = events((0, 0, 100.0, 1), (1, 0, 93.0, 2), (2, 1, 86.0, 3))
    assert popularity(some, until=100 * DAYS, half_life=7.0).tolist() == pytest.approx([1.5, 0.25, 0.0])
    assert levels(some, until=100 * DAYS)["popular_3"][0] == 1.0
    assert levels(some, until=100 * DAYS)["popular_3"][2] == 0.0


def test_a_trend_is_the_rate_of_late_over_the_rate_of_long() -> None:
    some = events((0, 0, 10.0, 1), (1, 1, 0.0, 2), products=2)
    found = trend(some, until=10 * DAYS, short=1.0, long=10.0)
    rate = 10.0 * (1 - 2 ** (-10 / 10))
    slow = [1 / rate, 0.5 / rate]
    prior = 0.1 * sum(slow) / 2 + 1e-12
    fast = [1.0, 2.0**-10]
    expected = [0.5 + math.log2((f + prior) / (s + prior)) / 10 for f, s in zip(fast, slow, strict=True)]
    assert found.tolist() == pytest.approx(expected)
    assert found[0] > 0.5 > found[1]


def test_own_repeats_count_orders_and_know_when_something_is_due() -> None:
    some = events((0, 0, 10.0, 1), (0, 0, 40.0, 2), (0, 1, 40.0, 2), (1, 1, 5.0, 3))
    own = OwnRepeats(some, until=70 * DAYS)
    shop = (30.0 + 30.0) / (1 + 1)
    assert own.usual.tolist() == pytest.approx([(30 + 2 * shop) / 3, shop, shop])
    signals = {code: one.toarray() for code, one in own.signals().items()}
    assert signals["own_often"][0, 0] == pytest.approx(math.log(3) / math.log(11))
    assert signals["own_share"][0].tolist() == pytest.approx([math.sqrt(2 / 4), math.sqrt(1 / 4), 0])
    assert signals["own_recent"][1, 1] == pytest.approx(2 ** (-65 / 60))
    interval = (30 + 2 * 30) / 3
    due = math.log(3) / math.log(11) * math.exp(-abs(math.log(31 / (interval + 1))))
    assert signals["own_due"][0, 0] == pytest.approx(due)


def test_due_is_loudest_when_the_interval_has_just_passed() -> None:
    ages = np.array([1.0, 15.0, 30.0, 60.0, 200.0])
    same = np.full(5, 3.0)
    found = own_signals(OwnHistory(same, same, ages + 60, ages, np.full(5, 30.0)))["own_due"]
    assert int(found.argmax()) == 2


def test_cooccurrence_divides_by_damped_masses() -> None:
    baskets = sp.csr_matrix(np.array([[1, 1, 0], [1, 1, 1], [1, 0, 0.0]]))
    found = cooccurrence(baskets, baskets, a=1.0, b=0.5, damping=1.0, most=5).toarray()
    assert found[0].tolist() == pytest.approx([0.0, 2 / (4 * math.sqrt(3)), 1 / (4 * math.sqrt(2))])


def test_an_audience_counts_shoppers_and_light_ones_speak_louder() -> None:
    profile = sp.csr_matrix(np.array([[1, 1, 0, 0], [1, 0, 1, 1.0]]))
    found = audience(profile, profile, b=0.0, damping=0.0, most=5)
    rows = found.scores.toarray()
    assert rows[0, 1] > rows[0, 2]
    assert set(found.supports.tolist()) == {1}


def test_successors_go_one_way() -> None:
    first, second = sp.csr_matrix(np.array([[1, 0.0]])), sp.csr_matrix(np.array([[0, 1.0]]))
    rows = successors(first, second, np.ones(1), damping=1.0, most=2).scores.toarray()
    assert rows[0, 1] > 0
    assert rows[1, 0] == 0


def test_the_best_of_rows_break_ties_by_column_and_leave_out_zeros() -> None:
    matrix = sp.csr_matrix(np.array([[2, 3, 3, 0, 3.0], [0, 0, 0, -1, 0]]))
    assert top_of_rows(matrix, 2).toarray().tolist() == [[0, 3, 3, 0, 0], [0, 0, 0, 0, 0]]
    assert entries(matrix, np.array([0, 1, 1]), np.array([4, 3, 0])).tolist() == [3, -1, 0]


def says(code: str, source: Source, scores: dict[int, float], *, absolute: bool = False) -> Votes:
    products, nothing = np.array(list(scores), np.int64), np.zeros(len(scores), np.int64)
    return Votes(source, code, products, np.array(list(scores.values())), nothing, nothing, absolute)


def test_a_mix_adds_up_roots_and_shows_each_familys_part() -> None:
    settings = PlacementSettings({}, rescale="root", mix={"ease": 0.5, "trend_short": 0.25, "popular_60": -0.25})
    first, second = blend(
        [
            says("ease", Source.COLLABORATIVE, {1: 4.0, 2: 1.0}),
            says("trend_short", Source.POPULARITY, {1: 0.2, 2: 0.8}, absolute=True),
            says("popular_60", Source.POPULARITY, {2: 1.0}, absolute=True),
        ],
        settings,
    )
    assert (first.product, first.score) == (1, pytest.approx(0.5 + 0.25 * 0.2))
    assert (second.product, second.score) == (2, pytest.approx(0.5 * 0.5 + 0.25 * 0.8 - 0.25))
    assert (first.collaborative, first.popularity, first.content) == (1.0, pytest.approx(0.2), 0.0)
    assert (second.popularity, second.loudest) == (0.0, "ease")


def test_a_score_never_leaves_0_and_1_and_what_is_pushed_down_keeps_its_order() -> None:
    settings = PlacementSettings({}, rescale="root", mix={"bought_before": -1.0, "ease": 1.0})
    found = blend(
        [
            says("ease", Source.COLLABORATIVE, {1: 9.0, 2: 4.0, 3: 1.0}),
            says("bought_before", Source.COLLABORATIVE, {1: 1.0, 2: 1.0}, absolute=True),
        ],
        settings,
    )
    assert [(one.product, one.score) for one in found] == [(3, pytest.approx(1 / 3)), (1, 0.0), (2, 0.0)]


def test_the_root_lifts_what_is_not_at_the_top() -> None:
    assert rescale(np.array([4.0, 1.0, 0.0]), "root").tolist() == [1.0, 0.5, 0.0]
