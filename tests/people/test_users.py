"""`/users/{user_id}`: profiles, what is known, merging sessions."""

import json
import math
import threading
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from catalog.models import Product
from interactions.events import NewInteraction
from interactions.models import Interaction, MergedSession, RewrittenHistory, Shopper
from interactions.services.record import record_interactions
from recommendations.models import EventWeight, ServedList
from reemio.access.models import ApiKey, issue_key

WANJIKU = "/api/v1/users/wanjiku"
PROFILE = {
    "email": "wanjiku@example.com",
    "name": "Wanjiku Muthoni",
    "timezone": "Africa/Nairobi",
    "locale": "sw-KE",
    "marketing_consent": True,
    "attributes": {"tier": "gold"},
}

pytestmark = pytest.mark.django_db


def happen(kind: str = "view", *, days: float = 0, **fields: Any) -> Interaction:
    fields.setdefault("product_id", None if kind == "search" else "p")
    return Interaction.objects.create(
        interaction_type=kind, occurred_at=timezone.now() - timedelta(days=days), **fields
    )


def sell(product_id: str, category: str, price: str | None) -> None:
    Product.objects.create(
        product_id=product_id, title=product_id, category=category, price=price and Decimal(price), currency="USD"
    )


# --- PUT ---------------------------------------------------------------------------------------------------------


def test_a_profile_is_made_then_replaced(api: APIClient) -> None:
    made = api.put(WANJIKU, PROFILE)
    assert made.status_code == 201
    assert made.json() == {"user_id": "wanjiku", **PROFILE}
    replaced = api.put(WANJIKU, {"name": "Wanjiku M.", "email": None})
    assert replaced.status_code == 200
    shopper = Shopper.objects.get()
    assert (shopper.name, shopper.email, shopper.timezone, shopper.marketing_consent) == ("Wanjiku M.", "", "", False)
    assert shopper.attributes == {}
    assert shopper.updated_at >= shopper.created_at


def test_ids_may_hold_anything_but_nul(api: APIClient) -> None:
    for user_id in ("a/b", "a b", "ü🛒", "a\nb", "x" * 128, "100%", "a/mergedness"):
        url = f"/api/v1/users/{quote(user_id, safe='')}"
        assert api.put(url, {}).status_code == 201
        assert api.get(url).json()["user_id"] == user_id
    for user_id in ("x" * 129, "a\x00"):
        url = f"/api/v1/users/{quote(user_id, safe='')}"
        assert api.put(url, {}).status_code == 400
        assert api.post(f"{url}/merge", {"session_id": "s"}).status_code == 400
        assert api.get(url).status_code == api.delete(url).status_code == api.get(f"{url}/export").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"), ("email", ""), ("email", 7), ("email", "a\x00@example.com"), ("email", "a@b"),
        ("name", ""), ("name", "x" * 201), ("name", "\ud800"), ("timezone", "Nairobi"), ("timezone", ""),
        ("locale", "Swahili, please"), ("marketing_consent", "true"), ("marketing_consent", 1),
        ("attributes", []), ("attributes", {"a": "\x00"}), ("attributes", {"a": "x" * 16384}),
    ],
)  # fmt: skip
def test_a_wrong_field_is_400_and_changes_nothing(api: APIClient, field: str, value: Any) -> None:
    api.put(WANJIKU, PROFILE)
    answer = api.put(WANJIKU, json.dumps({**PROFILE, field: value}), content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["type"] in ("validation_error", "client_error")
    assert Shopper.objects.get().name == PROFILE["name"]
    assert getattr(Shopper.objects.get(), field) == PROFILE[field]


@pytest.mark.parametrize("body", ["[]", "null", '"x"', "7"])
def test_a_body_that_is_no_object_is_400(api: APIClient, body: str) -> None:
    for method, url in ((api.put, WANJIKU), (api.post, f"{WANJIKU}/merge")):
        assert method(url, body, content_type="application/json").status_code == 400
    assert not Shopper.objects.exists()


def test_only_a_secret_key_may_look_or_write(api: APIClient, settings: Any) -> None:
    api.put(WANJIKU, PROFILE)
    settings.REEMIO_REQUIRE_API_KEY = True
    calls = [
        lambda: api.put(WANJIKU, {}),
        lambda: api.get(WANJIKU),
        lambda: api.get(f"{WANJIKU}/export"),
        lambda: api.post(f"{WANJIKU}/merge", {"session_id": "s"}),
        lambda: api.delete(WANJIKU),
    ]
    assert [call().status_code for call in calls] == [401] * 5
    _, publishable = issue_key(name="shop", kind=ApiKey.Kind.PUBLISHABLE)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {publishable}")
    assert [call().status_code for call in calls] == [403] * 5
    assert Shopper.objects.get().name == PROFILE["name"]
    _, secret = issue_key(name="server", kind=ApiKey.Kind.SECRET)
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    assert [call().status_code for call in calls] == [200, 200, 200, 200, 204]


# --- GET ---------------------------------------------------------------------------------------------------------


def test_what_is_known_and_learned(api: APIClient, django_assert_num_queries: Any) -> None:
    api.put(WANJIKU, PROFILE)
    sell("shoe", "Sports > Running > Shoes", "59.90")
    sell("ball", "Sports > Football", "10.00")
    sell("hose", "Garden", "25.00")
    sell("pen", "Office", "1.40")
    sell("mystery", "", None)
    happen("purchase", user_id="wanjiku", product_id="shoe", days=30)
    happen("view", user_id="wanjiku", product_id="ball")
    happen("cart_add", user_id="wanjiku", product_id="hose")
    happen("cart_remove", user_id="wanjiku", product_id="pen")
    happen("view", user_id="wanjiku", product_id="mystery")
    happen("view", user_id="wanjiku", product_id="unknown")
    happen("view", user_id="otieno", product_id="pen")
    last = happen("search", user_id="wanjiku", search_query="tea", days=-0.5)
    with django_assert_num_queries(4):
        known = api.get(WANJIKU).json()
    assert known["name"] == "Wanjiku Muthoni"
    assert known["interaction_counts"] == {"cart_add": 1, "cart_remove": 1, "purchase": 1, "search": 1, "view": 3}
    sports, garden = 5 * math.exp(-1) + 1, 3
    assert [entry["category"] for entry in known["top_categories"]] == ["Garden", "Sports"]
    assert known["top_categories"][0]["share"] == pytest.approx(garden / (sports + garden), abs=2e-4)
    assert sum(entry["share"] for entry in known["top_categories"]) == pytest.approx(1, abs=2e-4)
    assert known["price_range"] == {"min": "10.00", "max": "59.90", "currency": "USD"}
    assert known["last_active_at"] == last.occurred_at.isoformat().replace("+00:00", "Z")


def test_the_shops_own_weights_count(api: APIClient) -> None:
    sell("hose", "Garden", "25.00")
    sell("pen", "Office", "1.40")
    happen("view", user_id="u", product_id="hose")
    happen("wishlist_add", user_id="u", product_id="pen")
    EventWeight.objects.update_or_create(interaction_type="view", defaults={"weight": 6.0})
    shares = {entry["category"]: entry["share"] for entry in api.get("/api/v1/users/u").json()["top_categories"]}
    assert shares == {"Garden": pytest.approx(0.75, abs=1e-3), "Office": pytest.approx(0.25, abs=1e-3)}


def test_who_is_known_by_events_only_is_known(api: APIClient) -> None:
    happen(user_id="guest")
    known = api.get("/api/v1/users/guest").json()
    assert known["interaction_counts"] == {"view": 1}
    assert (known["email"], known["top_categories"], known["price_range"]) == ("", [], None)


def test_a_stranger_is_404(api: APIClient) -> None:
    assert api.get(WANJIKU).status_code == 404
    assert api.get(f"{WANJIKU}/export").status_code == 404
    assert api.delete(WANJIKU).status_code == 404


# --- merge -------------------------------------------------------------------------------------------------------


def merge(api: APIClient, session_id: str = "s1", url: str = WANJIKU) -> Any:
    return api.post(f"{url}/merge", {"session_id": session_id})


def test_what_a_session_did_becomes_the_users(api: APIClient) -> None:
    request_id = uuid.uuid4()
    mine = happen("recommendation_click", session_id="s1", recommendation_request_id=request_id)
    others = [happen(session_id="s2"), happen(session_id="s1", user_id="otieno")]
    ServedList.objects.create(
        request_id=request_id, served_at=timezone.now(), placement="homepage", context="homepage", strategy="session",
        session_id="s1", products=["p"], scores=[1.0], milliseconds=1,
    )  # fmt: skip
    answer = merge(api)
    assert answer.status_code == 200
    assert answer.json() == {"user_id": "wanjiku", "session_id": "s1", "moved": 1}
    mine.refresh_from_db()
    assert (mine.user_id, mine.session_id, mine.recommendation_request_id) == ("wanjiku", "s1", request_id)
    assert [Interaction.objects.get(pk=other.pk).user_id for other in others] == [None, "otieno"]
    assert ServedList.objects.get().user_id == "wanjiku"
    assert Shopper.objects.get().user_id == "wanjiku"
    assert set(RewrittenHistory.objects.values_list("subject", flat=True)) == {"u:wanjiku", "s:s1"}


def test_merging_twice_is_merging_once(api: APIClient) -> None:
    happen(session_id="s1")
    merge(api)
    RewrittenHistory.objects.all().delete()
    again = merge(api)
    assert (again.status_code, again.json()["moved"]) == (200, 0)
    assert MergedSession.objects.count() == Shopper.objects.count() == 1
    assert not RewrittenHistory.objects.exists()


def test_a_session_of_another_user_is_409_and_stays_theirs(api: APIClient) -> None:
    event = happen(session_id="s1")
    merge(api)
    answer = merge(api, url="/api/v1/users/otieno")
    assert answer.status_code == 409
    assert answer.json()["type"] == "client_error"
    assert answer.json()["errors"][0]["code"] == "session_already_merged"
    event.refresh_from_db()
    assert event.user_id == "wanjiku"
    assert not Shopper.objects.filter(user_id="otieno").exists()


@pytest.mark.parametrize("session_id", [None, "", 7, "x" * 129, "a\x00", [], "\ud800"])
def test_a_wrong_session_id_is_400(api: APIClient, session_id: Any) -> None:
    body = json.dumps({"session_id": session_id})
    assert api.post(f"{WANJIKU}/merge", body, content_type="application/json").status_code == 400
    assert not MergedSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_merge_waits_for_an_event_that_is_being_recorded() -> None:
    answers: list[Any] = []

    def work() -> None:
        client = APIClient()
        client.default_format = "json"
        answers.append(merge(client))
        connection.close()

    thread = threading.Thread(target=work)
    with transaction.atomic():
        record_interactions([NewInteraction("view", timezone.now(), session_id="s1", product_id="p")])
        thread.start()
        while thread.is_alive() and not _somebody_waits():
            pass
    thread.join()
    assert answers[0].json()["moved"] == 1
    assert Interaction.objects.get().user_id == "wanjiku"


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory' "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_merges_and_events_at_once_leave_no_event_behind() -> None:
    statuses: list[int] = []
    start = threading.Barrier(6)

    def work(number: int) -> None:
        client = APIClient()
        client.default_format = "json"
        start.wait()
        for _ in range(10):
            if number < 2:
                statuses.append(merge(client).status_code)
            else:
                event = {"session_id": "s1", "product_id": "p", "interaction_type": "view"}
                statuses.append(client.post("/api/v1/interactions", event).status_code)
        connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 20 + [201] * 40
    assert Interaction.objects.filter(user_id="wanjiku").count() == 40


@pytest.mark.django_db(transaction=True)
def test_of_two_users_who_claim_a_session_at_once_one_gets_it() -> None:
    happen(session_id="s1")
    statuses: list[int] = []
    start = threading.Barrier(2)

    def work(user_id: str) -> None:
        client = APIClient()
        client.default_format = "json"
        start.wait()
        statuses.append(merge(client, url=f"/api/v1/users/{user_id}").status_code)
        connection.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("wanjiku", "otieno")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409]
    assert Interaction.objects.get().user_id == MergedSession.objects.get().user_id
