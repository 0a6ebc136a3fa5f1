"""One contract, written twice: what the validator accepts is what the published schema says, and nothing else."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interactions.events import NewInteraction, RefusedError
from interactions.models import InteractionType
from interactions.schema import FREE_VALUE, INTERACTION
from interactions.validation import read_interaction

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
REQUEST_ID = "6f1c0c1e-8f5c-4b7e-9a53-0d4f5f1d2a3b"
VIEW = {"interaction_type": "view", "user_id": "wanjiku", "product_id": "prod456"}


def problems_of(data: object) -> list[tuple[str | None, str]]:
    try:
        read_interaction(data, now=NOW)
    except RefusedError as refused:
        return [(problem.attr, problem.code) for problem in refused.problems]
    return []


formats = jsonschema.FormatChecker(formats=[])


@formats.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    datetime.fromisoformat(value)
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value))


@formats.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


SCHEMA = jsonschema.Draft202012Validator(
    {**INTERACTION, "components": {"schemas": {"FreeValueRequest": FREE_VALUE}}}, format_checker=formats
)

strange = st.sampled_from(
    [
        None,
        "",
        "\x00",
        "a\x00b",
        0,
        1,
        -1,
        1.0,
        1.5,
        True,
        False,
        [],
        {},
        ["a"],
        {"a": 1},
        "x" * 129,
        2**31,
        10**30,
        "7",
    ]
)
ids = st.one_of(
    st.text(min_size=1, max_size=3), st.sampled_from(["a", "x" * 64, "x" * 65, "x" * 128, "ü", "🛒"]), strange
)
numbers = st.one_of(st.sampled_from([0, 1, 99, 100, 101, 86_400, 86_401, 604_800, 604_801, 2**31 - 1]), strange)
objects = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "timeOnPageSeconds": numbers,
            "sessionDurationSeconds": numbers,
            "scrollDepthPercent": numbers,
            "resultsCount": numbers,
            "device": st.one_of(st.sampled_from(["desktop", "mobile", "tablet", "tv"]), strange),
            "filters": strange,
            "sessionId": ids,
            "anything": st.one_of(st.integers(), st.lists(st.booleans()), strange),
            "nested": st.sampled_from([{"a": ["\x00"]}, {"a\x00": 1}, {"a": {"b": [None, 1.5]}}]),
        },
    ),
    st.sampled_from([None, "", "{}", 0, [], True]),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "interaction_type": st.one_of(st.sampled_from(InteractionType.values), strange),
    "user_id": ids,
    "session_id": ids,
    "product_id": ids,
    "event_id": ids,
    "occurred_at": st.one_of(
        st.sampled_from(["2026-05-04T12:00:00Z", "1970-01-01T00:00:00+00:00", "2026-05-04T12:00:00.5+03:00"]),
        st.sampled_from(["2026-02-30T12:00:00Z", "now", "2026-05-04T25:00:00Z"]),
        strange,
    ),
    "quantity": numbers,
    "unit_price": st.one_of(
        st.sampled_from([0, 0.0, 12.5, 0.125, 999999999.99, 1e9, "0", "12.50", "1e3", "-1", ".5", "12.", "9" * 10]),
        strange,
    ),
    "currency": st.one_of(st.sampled_from(["USD", "kes", "US", "USDX", "U$D", "USD\n"]), strange),
    "order_id": ids,
    "recommendation_context": st.one_of(st.sampled_from(["homepage", "email", "Email", "shop"]), strange),
    "recommendation_position": numbers,
    "recommendation_request_id": st.one_of(
        st.sampled_from([REQUEST_ID, REQUEST_ID.upper(), REQUEST_ID + "\n", REQUEST_ID.replace("-", "")]), strange
    ),
    "search_query": st.one_of(st.sampled_from(["wireless headphones", " ", "x" * 500, "x" * 501]), strange),
    "extra_data": objects,
    "some_other_field": strange,
}
GOOD: list[dict[str, Any]] = [
    VIEW,
    {"interaction_type": "purchase", "session_id": "s1", "product_id": "p", "order_id": "o", "quantity": 2},
    {"interaction_type": "search", "user_id": "u", "search_query": "tea"},
    {"interaction_type": "cart_add", "product_id": "p", "extra_data": {"sessionId": "inner"}},
    {**VIEW, "interaction_type": "recommendation_click", "recommendation_request_id": REQUEST_ID},
]


@st.composite
def nearly_good_events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a good event with up to three fields drawn anew or taken away: most wrong events are wrong in one place."""
    event = dict(draw(st.sampled_from(GOOD)))
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3, unique=True)):
        if draw(st.integers(0, 5)):
            event[name] = draw(FIELDS[name])
        else:
            event.pop(name, None)
    return event


@settings(max_examples=1500, deadline=None)
@given(nearly_good_events())
def test_the_validator_accepts_what_the_schema_accepts_and_nothing_else(event: dict[str, Any]) -> None:
    told = problems_of(event)
    assert (not told) == SCHEMA.is_valid(event), told


@settings(max_examples=300, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_whatever_is_no_object_is_refused_and_nothing_else_happens(data: Any) -> None:
    assert problems_of(data) == [(None, "invalid")]


def test_a_full_event_is_read_field_by_field() -> None:
    read = read_interaction(
        {
            "interaction_type": "Recommendation_CLICK",
            "user_id": "wanjiku",
            "session_id": "s1",
            "product_id": "prod456",
            "event_id": "e1",
            "occurred_at": "2026-05-04T10:00:00+03:00",
            "quantity": 2,
            "unit_price": "12.345",
            "currency": "kes",
            "order_id": "o1",
            "recommendation_context": "product_page",
            "recommendation_position": 3,
            "recommendation_request_id": REQUEST_ID,
            "search_query": "shoes",
            "extra_data": {"device": "mobile", "theme": "dark"},
            "unknown": 1,
        },
        now=NOW,
    )
    assert read == NewInteraction(
        interaction_type="recommendation_click",
        user_id="wanjiku",
        session_id="s1",
        product_id="prod456",
        event_id="e1",
        occurred_at=datetime(2026, 5, 4, 7, tzinfo=UTC),
        quantity=2,
        unit_price=Decimal("12.35"),
        currency="KES",
        order_id="o1",
        recommendation_context="product_page",
        recommendation_position=3,
        recommendation_request_id=UUID(REQUEST_ID),
        search_query="shoes",
        extra_data={"device": "mobile", "theme": "dark"},
    )


def test_the_time_defaults_to_now_and_a_naive_one_is_utc() -> None:
    assert read_interaction(VIEW, now=NOW).occurred_at == NOW
    assert read_interaction({**VIEW, "occurred_at": "2026-05-01 08:30"}, now=NOW).occurred_at == datetime(
        2026, 5, 1, 8, 30, tzinfo=UTC
    )


def test_a_time_may_lie_24_hours_ahead_and_no_further() -> None:
    edge = NOW + timedelta(hours=24)
    assert problems_of({**VIEW, "occurred_at": edge.isoformat()}) == []
    late = (edge + timedelta(microseconds=1)).isoformat()
    assert problems_of({**VIEW, "occurred_at": late}) == [("occurred_at", "max_value")]
    assert problems_of({**VIEW, "occurred_at": "1969-12-31T23:59:59Z"}) == [("occurred_at", "min_value")]
    assert problems_of({**VIEW, "occurred_at": "0001-01-01T00:00:00+14:00"}) == [("occurred_at", "min_value")]
    assert problems_of({**VIEW, "occurred_at": "9999-12-31T23:59:59-14:00"}) == [("occurred_at", "max_value")]


def test_the_session_of_extra_data_stands_in_for_an_absent_one_only() -> None:
    inside = {"sessionId": "inner"}
    assert read_interaction({**VIEW, "extra_data": inside}, now=NOW).session_id == "inner"
    assert read_interaction({**VIEW, "session_id": "outer", "extra_data": inside}, now=NOW).session_id == "outer"
    alone = {"interaction_type": "view", "product_id": "p", "extra_data": inside}
    assert read_interaction(alone, now=NOW).session_id == "inner"


def test_extra_data_holds_16_kib_and_not_a_byte_more() -> None:
    fits = {"note": "é" * 8186}  # {"note":""} are 11 bytes, and é is two
    assert problems_of({**VIEW, "extra_data": {**fits, "n": ""}}) == [("extra_data", "max_length")]
    assert problems_of({**VIEW, "extra_data": fits}) == []
    assert problems_of({**VIEW, "extra_data": {"note": "é" * 8186 + "ab"}}) == [("extra_data", "max_length")]


@pytest.mark.parametrize(
    "value",
    [{"a": "\x00"}, {"a\x00": 1}, {"a": ["\ud800"]}, {"\udfff": 1}, {"a": float("inf")}, {"a": float("nan")}],
)
def test_extra_data_that_no_jsonb_could_hold_is_refused(value: dict[str, Any]) -> None:
    assert problems_of({**VIEW, "extra_data": value}) == [("extra_data", "unstorable")]


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert problems_of({**VIEW, "extra_data": {"a": "\\u0000"}}) == []


def test_a_lone_surrogate_is_refused_in_every_text() -> None:
    for name in ("user_id", "session_id", "product_id", "event_id", "order_id", "search_query"):
        assert problems_of({**VIEW, name: "\ud800"})[0] == (name, "unstorable")


def test_a_deeply_nested_extra_data_is_refused_or_kept_but_never_breaks() -> None:
    nested: dict[str, Any] = {}
    for _ in range(3000):
        nested = {"a": nested}
    assert problems_of({**VIEW, "extra_data": nested}) == [("extra_data", "unstorable")]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    told = problems_of({"interaction_type": "glance", "product_id": 7, "quantity": "2", "extra_data": {"device": "tv"}})
    assert sorted(told, key=str) == [
        ("extra_data.device", "invalid_choice"),
        ("interaction_type", "invalid_choice"),
        ("product_id", "invalid"),
        ("quantity", "invalid"),
        ("user_id", "required"),
    ]


def test_a_search_needs_a_query_and_takes_no_product() -> None:
    assert problems_of({"interaction_type": "SEARCH", "user_id": "u"}) == [("search_query", "required")]
    both = {"interaction_type": "search", "user_id": "u", "search_query": "tea", "product_id": "p"}
    assert problems_of(both) == [("product_id", "not_allowed")]


def test_what_was_recommended_names_its_list() -> None:
    for kind in ("recommendation_view", "recommendation_click"):
        assert problems_of({**VIEW, "interaction_type": kind}) == [("recommendation_request_id", "required")]


def test_an_event_of_nobody_is_refused() -> None:
    assert problems_of({"interaction_type": "view", "product_id": "p"}) == [("user_id", "required")]
