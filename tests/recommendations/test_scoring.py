"""Stage 2: raw votes become signals, and signals one score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.configuration import BRIEF_WEIGHTS
from recommendations.contracts import PlacementSettings, Source, Votes
from recommendations.scoring import blend, rescale

BRIEF = PlacementSettings(BRIEF_WEIGHTS)


def says(source: Source, scores: dict[int, float], *, code: str = "any") -> Votes:
    products = np.array(list(scores), np.int64)
    nothing = np.zeros(len(products), np.int64)
    return Votes(source, code, products, np.array(list(scores.values()), np.float64), nothing, nothing)


votes = st.lists(
    st.builds(
        says,
        st.sampled_from(list(Source)),
        st.dictionaries(st.integers(1, 30), st.floats(0, 1e6), max_size=15),
        code=st.sampled_from("abc"),
    ),
    max_size=5,
)


def test_the_score_is_half_content_three_tenths_collaborative_and_two_tenths_popularity() -> None:
    found = [
        says(Source.CONTENT, {1: 0.8, 2: 0.4}),
        says(Source.COLLABORATIVE, {1: 3.0}),
        says(Source.POPULARITY, {2: 7.0}),
    ]
    first, second = blend(found, BRIEF)
    assert (first.product, first.content, first.collaborative, first.popularity) == (1, 1.0, 1.0, 0.0)
    assert first.score == pytest.approx(0.5 + 0.3)
    assert (second.product, second.content, second.popularity) == (2, 0.5, 1.0)
    assert second.score == pytest.approx(0.5 * 0.5 + 0.2)


def test_two_collaborative_sources_share_the_signal() -> None:
    found = [says(Source.COLLABORATIVE, {1: 2.0, 2: 1.0}, code="a"), says(Source.COLLABORATIVE, {2: 4.0}, code="b")]
    assert {one.product: one.collaborative for one in blend(found, BRIEF)} == {1: 0.5, 2: 0.75}


def test_equal_scores_are_ordered_by_id() -> None:
    assert [one.product for one in blend([says(Source.POPULARITY, {9: 1.0, 3: 1.0, 5: 1.0})], BRIEF)] == [3, 5, 9]


@given(votes)
def test_every_proposed_product_is_scored_once_within_0_and_1(found: list[Votes]) -> None:
    scored = blend(found, BRIEF)
    assert sorted(one.product for one in scored) == sorted({int(p) for one in found for p in one.products})
    for one in scored:
        assert 0 <= one.score <= 1 + 1e-9
        assert all(0 <= signal <= 1 for signal in (one.content, one.collaborative, one.popularity))
        blended = 0.5 * one.content + 0.3 * one.collaborative + 0.2 * one.popularity
        assert one.score == pytest.approx(blended)
    assert [one.score for one in scored] == sorted((one.score for one in scored), reverse=True)


@given(votes, st.randoms())
def test_the_result_does_not_depend_on_the_order_of_candidates(found: list[Votes], random: object) -> None:
    def shuffled(one: Votes) -> Votes:
        order = np.arange(len(one))
        random.shuffle(order)  # type: ignore[attr-defined]
        return Votes(one.source, one.code, one.products[order], one.scores[order], one.supports, one.because)

    assert [(a.product, a.score) for a in blend([shuffled(one) for one in found], BRIEF)] == [
        (a.product, a.score) for a in blend(found, BRIEF)
    ]


@given(st.lists(st.floats(0, 1e9), min_size=1), st.sampled_from(["max", "rank"]))
def test_rescaling_keeps_the_order(raw: list[float], method: str) -> None:
    scaled = rescale(np.array(raw), method)
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    order = np.argsort(raw, kind="stable")
    assert (np.diff(scaled[order]) >= 0).all()


def test_an_unknown_rescaling_is_an_error() -> None:
    with pytest.raises(ValueError, match="no rescaling called 'sigmoid'"):
        rescale(np.array([1.0]), "sigmoid")
