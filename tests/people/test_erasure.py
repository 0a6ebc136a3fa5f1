"""All that is held on a person: exported, shown in the admin, and erased without a trace."""

import threading
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from interactions.models import FreshInteraction, InboxEvent, Interaction, Shopper
from recommendations.models import ModelVersion, ServedList, ShopperNeighbourhood, Taste
from tests.people.test_users import PROFILE, WANJIKU, happen, merge, sell

pytestmark = pytest.mark.django_db


def live(api: APIClient) -> None:
    """Leave a trace of Wanjiku in every table that can hold one, and one of Otieno beside it."""
    api.put(WANJIKU, {**PROFILE, "attributes": {"card": "wanjiku-card"}})
    sell("shoe", "Sports", "59.90")
    now = timezone.now()
    happen("purchase", user_id="wanjiku", session_id="s-named", product_id="shoe", order_id="o-wanjiku")
    happen("purchase", user_id="wanjiku", session_id="s-named", product_id="hat", order_id="o-wanjiku")
    happen(
        "search",
        user_id="wanjiku",
        search_query="gift for wanjiku",
        event_id="evt-wanjiku",
        extra_data={"w": "wanjiku"},
    )
    fresh = happen(session_id="s-wanjiku", product_id="shoe", extra_data={"sessionId": "s-wanjiku"})
    FreshInteraction.objects.create(interaction=fresh)
    merge(api, "s-wanjiku")
    happen(session_id="s-named", product_id="shoe")
    happen(user_id="otieno", session_id="s-named", product_id="shoe", order_id="o-otieno")
    for number, (user_id, session_id) in enumerate([("wanjiku", "s-named"), ("", "s-wanjiku"), ("otieno", "s-o")]):
        ServedList.objects.create(
            request_id=uuid.UUID(int=number + 1), served_at=now, placement="homepage", context="homepage",
            strategy="popular", user_id=user_id, session_id=session_id, products=["shoe"], scores=[1.0], milliseconds=1,
        )  # fmt: skip
    for subject in ("u:wanjiku", "s:s-wanjiku", "s:s-named", "u:otieno"):
        Taste.objects.create(subject=subject, as_of=now, vector=[0.5] * 384, weight=1, categories={"Sports": 1})
    version = ModelVersion.objects.create(as_of=now)
    for user_id in ("wanjiku", "otieno"):
        ShopperNeighbourhood.objects.create(version=version, user_id=user_id, products=[1], scores=[1.0], supports=[2])
    InboxEvent.objects.create(event_type="view", payload={"userId": "wanjiku", "productId": "shoe"}, processed_at=now)
    InboxEvent.objects.create(event_type="view", payload={"session_id": "s-wanjiku", "productId": "shoe"})
    InboxEvent.objects.create(event_type="view", payload={"userId": "otieno", "sessionId": "s-named"})
    shopper = Shopper.objects.get(user_id="wanjiku")
    LogEntry.objects.create(
        user=User.objects.create_user("root"), content_type=ContentType.objects.get_for_model(Shopper),
        object_id=str(shopper.pk), object_repr="Wanjiku Muthoni", action_flag=CHANGE,
    )  # fmt: skip


def dump() -> str:
    """Return every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
            "WHERE schemaname IN ('recommender', 'public')"
        )
        tables = [name for (name,) in cursor.fetchall()]
        assert len(tables) >= len(apps.get_models())
        rows = []
        for table in tables:
            cursor.execute(f"SELECT line::text FROM {table} AS line")  # noqa: S608  names from the catalogue
            rows += [text for (text,) in cursor.fetchall()]
    return "\n".join(rows)


def test_an_export_has_all_that_is_held(api: APIClient) -> None:
    live(api)
    held = api.get(f"{WANJIKU}/export").json()
    assert held["profile"]["email"] == "wanjiku@example.com"
    assert [session["session_id"] for session in held["sessions"]] == ["s-wanjiku"]
    assert len(held["interactions"]) == 4
    assert {event["user_id"] for event in held["interactions"]} == {"wanjiku"}
    assert held["interactions"][0]["order_id"] == "o-wanjiku"
    assert {row["payload"]["userId"] for row in held["inbox"]} == {"wanjiku"}
    assert [row["request_id"] for row in held["served_lists"]] == [str(uuid.UUID(int=1)), str(uuid.UUID(int=2))]
    assert [row["subject"] for row in held["taste"]] == ["s:s-wanjiku", "u:wanjiku"]
    assert held["taste"][0]["vector"] == [0.5] * 384
    assert len(held["neighbourhoods"]) == 1
    assert "otieno" not in str(held)


def test_erasure_leaves_no_trace_and_the_counts_as_they_were(api: APIClient) -> None:
    live(api)
    before = Interaction.objects.filter(product_id="shoe").count()
    assert "wanjiku" in dump().lower()
    assert api.delete(WANJIKU).status_code == 204
    after = dump().lower()
    assert "wanjiku" not in after
    assert Interaction.objects.filter(product_id="shoe").count() == before
    assert api.get(WANJIKU).status_code == 404
    assert api.delete(WANJIKU).status_code == 404
    erased = Interaction.objects.exclude(user_id="otieno")
    pseudonyms = set(erased.values_list("user_id", flat=True))
    assert len(pseudonyms) == 1
    assert str(pseudonyms.pop()).startswith("erased-")
    assert set(erased.values_list("session_id", "search_query", "event_id")) == {(None, "", None)}
    bought = erased.filter(interaction_type="purchase")
    assert len(set(bought.values_list("order_id", flat=True))) == 1
    assert bought.filter(order_id__startswith="erased-").count() == 2
    assert FreshInteraction.objects.count() == 1


def test_erasure_leaves_others_as_they_were(api: APIClient) -> None:
    live(api)
    api.delete(WANJIKU)
    event = Interaction.objects.get(user_id="otieno")
    assert (event.session_id, event.order_id) == ("s-named", "o-otieno")
    assert ServedList.objects.get(user_id="otieno").session_id == "s-o"
    assert list(Taste.objects.values_list("subject", flat=True)) == ["u:otieno"]
    assert list(ShopperNeighbourhood.objects.values_list("user_id", flat=True)) == ["otieno"]
    assert InboxEvent.objects.get(payload__userId="otieno").processed_at is None
    assert not InboxEvent.objects.filter(payload={}, processed_at=None).exists()


def test_an_erased_person_may_come_back_as_a_new_one(api: APIClient) -> None:
    live(api)
    api.delete(WANJIKU)
    assert api.put(WANJIKU, PROFILE).status_code == 201
    assert api.get(WANJIKU).json()["interaction_counts"] == {}
    assert merge(api, "s-wanjiku").json()["moved"] == 0


@pytest.mark.django_db(transaction=True)
def test_erasing_twice_at_once_erases_once() -> None:
    happen(user_id="wanjiku", session_id="s1")
    statuses: list[int] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        statuses.append(APIClient().delete(WANJIKU).status_code)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204, 404]


def test_the_admin_shows_people_and_events_without_counting_them_all(client: Any, api: APIClient) -> None:
    live(api)
    client.force_login(User.objects.create_superuser("boss"))
    page = client.get("/admin/interactions/shopper/", {"q": "muthoni"}).content.decode()
    assert "wanjiku@example.com" in page
    assert "/admin/interactions/interaction/?user_id=wanjiku" in page
    page = client.get("/admin/interactions/interaction/", {"user_id": "wanjiku"}).content.decode()
    assert page.count("field-interaction_type") == 4
    event = Interaction.objects.first()
    assert event is not None
    assert client.get(f"/admin/interactions/interaction/{event.pk}/change/").status_code == 200
    assert client.get("/admin/interactions/interaction/add/").status_code == 403
    assert client.get("/admin/interactions/mergedsession/").status_code == 200
    assert client.get("/admin/interactions/inboxevent/").status_code == 200
