"""Prepared statements give what others give, in numpy's arrays where numbers come in rows."""

import numpy as np
import pytest
from django.db import DataError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from reemio.database.prepared import fetch

NUMBERS = "SELECT %(ids)s::bigint[], %(counts)s::int[], %(scores)s::float8[]"


class Arrays(TestCase):
    @given(
        st.lists(st.integers(-(2**63), 2**63 - 1)),
        st.lists(st.integers(-(2**31), 2**31 - 1)),
        st.lists(st.floats(allow_nan=False)),
    )
    @settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_arrays_of_numbers_come_back_as_they_went(
        self, ids: list[int], counts: list[int], scores: list[float]
    ) -> None:
        [row] = fetch(NUMBERS, {"ids": ids, "counts": counts, "scores": scores})
        assert [array.dtype for array in row] == [np.int64, np.int64, np.float64]
        assert [array.tolist() for array in row] == [ids, counts, scores]


@pytest.mark.django_db
@pytest.mark.parametrize("array", ["{1,NULL}", "{{1,2},{3,4}}"])
def test_an_array_that_numpy_would_misread_is_refused(array: str) -> None:
    with pytest.raises(ValueError, match="nulls"):
        fetch("SELECT %s::bigint[]", [array])


@pytest.mark.django_db
def test_a_statement_is_planned_once_and_logged_where_django_logs() -> None:
    for number in range(3):
        assert fetch("SELECT %s::int + 1", [number]) == [(number + 1,)]
    names = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1::int + 1'"
    assert fetch(names, []) == [(1,)]
    with CaptureQueriesContext(connection) as captured:
        fetch("SELECT %s::int + 1", [4])
    assert [query["sql"] for query in captured] == ["SELECT $1::int + 1"]


@pytest.mark.django_db
def test_errors_are_djangos_and_the_next_statement_works() -> None:
    with pytest.raises(DataError), transaction.atomic():
        fetch("SELECT %s::int", ["no number"])
    assert fetch("SELECT %s::int", ["7"]) == [(7,)]
