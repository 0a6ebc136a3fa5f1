"""The short way through plain parameters says exactly what the serializer says, or nothing."""

from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from recommendations.contracts import Placement, Query
from recommendations.models import ServedList
from recommendations.parameters import ListParameters, plain_query
from recommendations.recorder import recorder

VALUES = st.one_of(
    st.text(max_size=6),
    st.text(alphabet="abc-_. 09é\x00\n\ud800", max_size=5),
    st.integers(-2, 120).map(str),
    st.sampled_from(["007", "1.0", "١", " 5", "5 ", "1e1", "x" * 128, "x" * 129, ""]),
)
PARAMETERS = st.dictionaries(
    st.sampled_from(["user_id", "session_id", "limit", "category", "page"]), VALUES, max_size=4
)


def read_by_the_serializer(given_: dict[str, str]) -> Query | None:
    parsed = ListParameters(data=given_)
    return parsed.query(Placement.HOMEPAGE, default_limit=12) if parsed.is_valid() else None


@given(PARAMETERS)
@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_what_the_short_way_takes_the_serializer_takes_alike(given_: dict[str, str]) -> None:
    plain = plain_query(given_, Placement.HOMEPAGE, default_limit=12)
    if plain is not None:
        assert plain == read_by_the_serializer(given_)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["cart?product_ids=a,b%00c", "homepage?exclude=a,b%00c"])
def test_ids_with_null_characters_are_refused(api: APIClient, path: str) -> None:
    answer = api.get(f"/api/v1/recommendations/{path}")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "null_characters_not_allowed")


@pytest.mark.django_db(transaction=True)
def test_a_list_that_cannot_be_written_costs_no_other_one() -> None:
    same = {
        "placement": "cart",
        "context": "cart",
        "strategy": "x",
        "products": [],
        "scores": [],
        "asked_for": 1,
        "milliseconds": 1,
    }
    lists = [
        ServedList(request_id=uuid4(), served_at=timezone.now(), anchors=[anchor], **same)
        for anchor in ("a", "b\x00", "c")
    ]
    for one in lists:
        recorder.remember(one)
    recorder.close()
    assert sorted(ServedList.objects.values_list("anchors", flat=True)) == [["a"], ["c"]]


def test_an_ordinary_request_takes_the_short_way() -> None:
    asked = {"user_id": "42", "session_id": "visit-7", "limit": "10"}
    assert plain_query(asked, Placement.HOMEPAGE, default_limit=12) == read_by_the_serializer(asked)
    assert plain_query({}, Placement.HOMEPAGE, default_limit=12) == Query(Placement.HOMEPAGE, 12)
    assert plain_query({"category": "Sports"}, Placement.HOMEPAGE, default_limit=12) is None
