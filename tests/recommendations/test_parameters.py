"""The short way through plain parameters says exactly what the serializer says, or nothing."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.contracts import Placement, Query
from recommendations.parameters import ListParameters, plain_query

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


def test_an_ordinary_request_takes_the_short_way() -> None:
    asked = {"user_id": "42", "session_id": "visit-7", "limit": "10"}
    assert plain_query(asked, Placement.HOMEPAGE, default_limit=12) == read_by_the_serializer(asked)
    assert plain_query({}, Placement.HOMEPAGE, default_limit=12) == Query(Placement.HOMEPAGE, 12)
    assert plain_query({"category": "Sports"}, Placement.HOMEPAGE, default_limit=12) is None
