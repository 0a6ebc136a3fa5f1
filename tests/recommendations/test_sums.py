"""The law behind a taste: adding events one by one, in any order, equals counting them all."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recommendations.sums import Sums, combined, counted

START = datetime(2026, 1, 1, tzinfo=UTC)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([5.0, 3.0, 2.0, 1.5, 1.0, 0.5, -1.0]),
        st.floats(0, 200),
        st.integers(0, 383),
        st.sampled_from(["", "Garden", "Garden > Pots", "Sports"]),
    ),
    min_size=1,
    max_size=40,
)
Event = tuple[float, float, int, str]


def sums_of(events: list[Event]) -> Sums:
    moments = [START + timedelta(days=day) for _, day, _, _ in events]
    return counted(
        weights=np.array([weight for weight, *_ in events]),
        moments=moments,
        vectors=np.eye(384, dtype=np.float32)[[axis for _, _, axis, _ in events]],
        embedded=np.ones(len(events), bool),
        categories=[category for *_, category in events],
        as_of=max(moments),
    )


@given(EVENTS, st.randoms())
def test_one_by_one_in_any_order_equals_all_at_once(events: list[Event], random: object) -> None:
    whole = sums_of(events)
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    stepwise = sums_of(shuffled[:1])
    for event in shuffled[1:]:
        step = combined([stepwise, sums_of([event])])
        assert step is not None
        stepwise = step
    assert stepwise.as_of == whole.as_of
    np.testing.assert_allclose(stepwise.vector, whole.vector, atol=1e-9)
    np.testing.assert_allclose(stepwise.weight, whole.weight, atol=1e-9)
    assert stepwise.categories.keys() == whole.categories.keys()
    for category, weight in whole.categories.items():
        np.testing.assert_allclose(stepwise.categories[category], weight, atol=1e-9)
    assert stepwise.events == len(events)


def test_an_event_of_thirty_days_ago_counts_one_over_e() -> None:
    sums = sums_of([(1.0, 0.0, 0, "Garden"), (1.0, 30.0, 1, "Sports")])
    np.testing.assert_allclose(sums.vector[:2], [np.exp(-1), 1.0])
    np.testing.assert_allclose([sums.categories["Garden"], sums.categories["Sports"]], [np.exp(-1), 1.0])


def test_nothing_combined_is_nothing() -> None:
    assert combined([]) is None
    assert combined([Sums.empty(START)]) is None
