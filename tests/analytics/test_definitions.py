"""What measures mean: every one is complete, and rates and their intervals obey their laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.definitions import MEASURES, Unit, concentration, rate, wilson


def test_every_measure_has_a_label_a_sentence_and_a_formula() -> None:
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert measure.label
        assert measure.sentence.endswith(".")
        assert measure.formula or measure.unit is Unit.TEXT


def test_the_wilson_interval_has_its_textbook_values() -> None:
    low, high = wilson(10, 100)
    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert wilson(0, 10) == (0.0, pytest.approx(0.2775, abs=1e-4))
    assert wilson(10, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)


@given(st.integers(1, 10**9), st.data())
def test_an_interval_holds_its_rate_and_stays_within_0_and_1(trials: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, trials))
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1


def test_a_rate_of_nothing_is_none_and_of_few_is_thin() -> None:
    assert (rate(0, 0).value, rate(0, 0).low, rate(0, 0).high) == (None, None, None)
    assert rate(1, 99).is_thin
    assert not rate(1, 100).is_thin


def test_more_clicks_than_impressions_are_told_as_they_are() -> None:
    more = rate(3, 2)
    assert (more.value, more.high) == (1.5, 1.0)


def test_concentration_is_the_part_of_the_top_tenth() -> None:
    assert concentration([50, *[5] * 10, 0]).value == 0.55  # two of eleven that were seen
    assert concentration([50, *[5] * 9, 0]).value == 50 / 95, "one of ten that were seen; what nobody saw is none"
    assert concentration([7]).value == 1.0
    assert concentration([]).value is None
