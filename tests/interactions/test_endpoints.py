"""`POST /interactions` and `/interactions/batch`, as api.md has them."""

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from interactions.models import FreshInteraction, Interaction, MergedSession
from reemio.access.models import ApiKey, issue_key

ONE = "/api/v1/interactions"
MANY = "/api/v1/interactions/batch"
VIEW = {"user_id": "user123", "product_id": "prod456", "interaction_type": "view"}

pytestmark = pytest.mark.django_db


def test_a_view_is_stored_and_queued_for_the_engine(api: APIClient) -> None:
    before = datetime.now(UTC)
    answer = api.post(ONE, VIEW)
    assert answer.status_code == 201
    row = Interaction.objects.get()
    assert answer.json() == {"id": str(row.pk), "duplicate": False}
    assert (row.user_id, row.session_id, row.product_id, row.interaction_type) == ("user123", None, "prod456", "view")
    assert before <= row.occurred_at <= datetime.now(UTC)
    assert (row.currency, row.recommendation_context, row.search_query, row.extra_data) == ("", "", "", {})
    assert list(FreshInteraction.objects.values_list("interaction_id", flat=True)) == [row.pk]


def test_every_field_is_kept(api: APIClient) -> None:
    request_id = "6f1c0c1e-8f5c-4b7e-9a53-0d4f5f1d2a3b"
    event = {
        "interaction_type": "PURCHASE",
        "user_id": "u",
        "session_id": "s",
        "product_id": "p\\t\t\n\"'ü",
        "event_id": "e",
        "occurred_at": "2011-03-04T05:06:07.123456Z",
        "quantity": 3,
        "unit_price": 0,
        "currency": "gbp",
        "order_id": "o",
        "recommendation_context": "email",
        "recommendation_position": 4,
        "recommendation_request_id": request_id,
        "search_query": "tea",
        "extra_data": {"device": "tablet", "nested": {"a": [1, None, "\\u0000"]}},
    }
    assert api.post(ONE, event).status_code == 201
    row = Interaction.objects.get()
    assert row.interaction_type == "purchase"
    assert row.product_id == event["product_id"]
    assert row.occurred_at == datetime(2011, 3, 4, 5, 6, 7, 123456, UTC)
    assert (row.quantity, row.unit_price, row.currency, row.order_id) == (3, Decimal("0.00"), "GBP", "o")
    assert (row.recommendation_context, row.recommendation_position) == ("email", 4)
    assert str(row.recommendation_request_id) == request_id
    assert row.extra_data == event["extra_data"]


def test_a_repeat_is_answered_with_the_first_id_and_stored_once(api: APIClient) -> None:
    first = api.post(ONE, {**VIEW, "event_id": "e1"})
    again = api.post(ONE, {**VIEW, "event_id": "e1", "product_id": "another"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert Interaction.objects.get().product_id == "prod456"
    assert FreshInteraction.objects.count() == 1


def test_events_without_an_event_id_are_all_stored(api: APIClient) -> None:
    ids = {api.post(ONE, VIEW).json()["id"] for _ in range(3)}
    assert len(ids) == Interaction.objects.count() == 3


def test_a_later_event_of_a_merged_session_is_the_users(api: APIClient) -> None:
    MergedSession.objects.create(session_id="s1", user_id="wanjiku")
    api.post(ONE, {"session_id": "s1", "product_id": "p", "interaction_type": "view"})
    api.post(ONE, {"session_id": "s1", "user_id": "otieno", "product_id": "p", "interaction_type": "view"})
    api.post(ONE, {"session_id": "s2", "product_id": "p", "interaction_type": "view"})
    people = Interaction.objects.order_by("pk").values_list("user_id", "session_id")
    assert list(people) == [("wanjiku", "s1"), ("otieno", "s1"), (None, "s2")]


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ("[]", None, "invalid"),
        ("null", None, "invalid"),
        ('"view"', None, "invalid"),
        ("{}", "interaction_type", "required"),
        ('{"interaction_type": "view", "user_id": 7, "product_id": "p"}', "user_id", "invalid"),
        ('{"interaction_type": "view", "user_id": "a\\u0000", "product_id": "p"}', "user_id", "unstorable"),
        ('{"interaction_type": "view", "user_id": "\\ud800", "product_id": "p"}', "user_id", "unstorable"),
        ('{"interaction_type": "view", "user_id": "u"}', "product_id", "required"),
        (
            '{"interaction_type": "view", "user_id": "u", "product_id": "p", "quantity": 99999999999}',
            "quantity",
            "max_value",
        ),
    ],
)
def test_a_refusal_has_the_one_shape_and_stores_nothing(api: APIClient, body: str, attr: str | None, code: str) -> None:
    answer = api.post(ONE, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert (answer.json()["errors"][0]["attr"], answer.json()["errors"][0]["code"]) == (attr, code)
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"a": NaN}', '{"a": Infinity}', '{"a": 1e400}', "[" * 100_000, '{"a": ' + "9" * 5000 + "}", b"\xff"],
)
def test_what_is_no_json_is_400(api: APIClient, body: str | bytes) -> None:
    for url in (ONE, MANY):
        answer = api.post(url, body, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["type"] in ("client_error", "validation_error")
    assert not Interaction.objects.exists()


def test_another_content_type_is_415_and_a_huge_body_413(api: APIClient) -> None:
    for url in (ONE, MANY):
        assert (
            api.post(url, "interaction_type=view", content_type="application/x-www-form-urlencoded").status_code == 415
        )
        huge = json.dumps({**VIEW, "extra_data": {"a": "x" * (5 * 1024 * 1024)}})
        assert api.post(url, huge, content_type="application/json").status_code == 413
        assert api.get(url).status_code == 405
    assert not Interaction.objects.exists()


def test_a_publishable_key_may_post_and_a_missing_one_may_not(api: APIClient, settings: Any) -> None:
    settings.REEMIO_REQUIRE_API_KEY = True
    assert api.post(ONE, VIEW).status_code == 401
    assert api.post(MANY, {"interactions": [VIEW]}).status_code == 401
    _, key = issue_key(name="shop", kind=ApiKey.Kind.PUBLISHABLE)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {key}")
    assert api.post(ONE, VIEW).status_code == 201
    assert api.post(MANY, {"interactions": [VIEW]}).status_code == 201
    assert Interaction.objects.count() == 2


def test_a_good_batch_is_201(api: APIClient) -> None:
    answer = api.post(MANY, {"interactions": [VIEW, {**VIEW, "event_id": "a"}, {**VIEW, "event_id": "a"}]})
    assert answer.status_code == 201
    assert answer.json() == {"accepted": 2, "duplicates": 1, "rejected": 0, "errors": []}
    assert Interaction.objects.count() == FreshInteraction.objects.count() == 2


def test_the_good_ones_of_a_batch_are_stored_and_the_others_reported(api: APIClient) -> None:
    batch = [VIEW, {**VIEW, "interaction_type": "SEARCH"}, VIEW, {"interaction_type": "view", "user_id": "u"}, 7]
    answer = api.post(MANY, {"interactions": batch})
    assert answer.status_code == 207
    report = answer.json()
    assert (report["accepted"], report["duplicates"], report["rejected"]) == (2, 0, 3)
    assert [entry["index"] for entry in report["errors"]] == [1, 3, 4]
    assert report["errors"][1]["errors"] == [
        {"code": "required", "detail": "This field is required.", "attr": "interactions.3.product_id"}
    ]
    assert report["errors"][2]["errors"][0]["attr"] == "interactions.4"
    assert Interaction.objects.count() == 2


def test_a_batch_of_which_nothing_is_good_is_400_in_both_shapes(api: APIClient) -> None:
    answer = api.post(MANY, {"interactions": [{"interaction_type": "view", "user_id": "u"}]})
    assert answer.status_code == 400
    wrong = {"code": "required", "detail": "This field is required.", "attr": "interactions.0.product_id"}
    assert answer.json() == {
        "type": "validation_error",
        "accepted": 0,
        "duplicates": 0,
        "rejected": 1,
        "errors": [{**wrong, "index": 0, "errors": [wrong]}],
    }
    assert not Interaction.objects.exists()


@pytest.mark.parametrize(
    ("body", "attr", "code"),
    [
        ({}, "interactions", "required"),
        ([], None, "invalid"),
        ({"interactions": None}, "interactions", "required"),
        ({"interactions": {}}, "interactions", "not_a_list"),
        ({"interactions": []}, "interactions", "empty"),
        ({"interactions": [VIEW] * 1001}, "interactions", "max_length"),
    ],
)
def test_what_is_no_batch_is_400(api: APIClient, body: Any, attr: str | None, code: str) -> None:
    answer = api.post(MANY, body)
    assert answer.status_code == 400
    assert [(error["attr"], error["code"]) for error in answer.json()["errors"]] == [(attr, code)]
    assert not Interaction.objects.exists()


def test_a_batch_of_1000_takes_as_many_queries_as_a_batch_of_one(
    api: APIClient, django_assert_max_num_queries: Any
) -> None:
    for size in (1, 1000):
        events = [{**VIEW, "user_id": None, "session_id": f"s{n}", "event_id": f"{size}-{n}"} for n in range(size)]
        # Savepoint and its release (the test's transaction), the lock, the insert; a repeat is looked up and counted.
        with django_assert_max_num_queries(4):
            assert api.post(MANY, {"interactions": events}).json()["accepted"] == size
        with django_assert_max_num_queries(6):
            assert api.post(MANY, {"interactions": events}).json()["duplicates"] == size


def test_the_past_is_welcome(api: APIClient) -> None:
    assert api.post(ONE, {**VIEW, "occurred_at": "1970-01-01T00:00:00Z"}).status_code == 201
    ahead = datetime.now(UTC) + timedelta(hours=25)
    assert api.post(ONE, {**VIEW, "occurred_at": ahead.isoformat()}).status_code == 400
    assert Interaction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_threads_with_one_event_id_store_one_row_and_get_one_id() -> None:
    answers: list[Any] = []
    start = threading.Barrier(8)

    def post() -> None:
        client = APIClient()
        client.default_format = "json"
        start.wait()
        answers.append(client.post(ONE, {**VIEW, "event_id": "once"}))
        connection.close()

    _run_together(post, 8)
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert {answer.json()["id"] for answer in answers} == {str(Interaction.objects.get().pk)}
    assert FreshInteraction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_batches_that_share_events_in_opposite_orders_do_not_lock_each_other() -> None:
    events = [{**VIEW, "event_id": f"e{n:03}"} for n in range(300)]
    statuses: list[int] = []
    start = threading.Barrier(4)

    def post(order: int) -> None:
        client = APIClient()
        client.default_format = "json"
        start.wait()
        statuses.append(client.post(MANY, {"interactions": events[::order]}).status_code)
        connection.close()

    threads = [threading.Thread(target=post, args=(order,)) for order in (1, -1, 1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [201] * 4
    assert Interaction.objects.count() == FreshInteraction.objects.count() == 300


def _run_together(work: Any, count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
