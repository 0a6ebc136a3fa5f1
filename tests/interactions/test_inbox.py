"""`public.events`: each row becomes an interaction exactly once, or is kept with the reason why not."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django_celery_beat.models import PeriodicTask

from interactions.models import FreshInteraction, InboxEvent, Interaction
from interactions.services.inbox import TakenIn, take_in_batch, take_in_inbox
from interactions.tasks import take_in_events

CREATED = datetime(2026, 5, 1, 8, tzinfo=UTC)


@pytest.fixture
def committed_inbox(transactional_db: None) -> Iterator[None]:
    """Let rows be seen by other connections, and remove them: Django empties only the tables that it manages."""
    yield
    InboxEvent.objects.all().delete()


def put(event_type: str, payload: Any) -> int:
    """Insert a row as a shop does: in SQL, without us."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.events (event_type, payload, created_at) VALUES (%s, %s::jsonb, %s) RETURNING id",
            [event_type, json.dumps(payload), CREATED],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_row_becomes_an_interaction_of_its_own_time_and_id() -> None:
    pk = put("PURCHASE", {"userId": 17, "productId": "p", "orderId": 9001, "quantity": 2, "timeOnPageSeconds": 25})
    take_in_events()
    row = Interaction.objects.get()
    assert (row.interaction_type, row.user_id, row.product_id, row.order_id) == ("purchase", "17", "p", "9001")
    assert (row.occurred_at, row.event_id, row.quantity) == (CREATED, f"inbox:{pk}", 2)
    assert row.extra_data == {"timeOnPageSeconds": 25}
    assert FreshInteraction.objects.count() == 1
    taken = InboxEvent.objects.get(pk=pk)
    assert taken.processed_at is not None
    assert taken.error is None


@pytest.mark.django_db
def test_both_spellings_are_understood() -> None:
    put("view", {"user_id": "u", "product_id": "p", "event_id": "e", "scroll_depth_percent": 50, "unknown": 1})
    put(
        "search",
        {"sessionId": "s", "searchQuery": "tea", "resultsCount": 3, "filters": {"a": 1}, "extraData": {"b": 2}},
    )
    assert take_in_inbox() == TakenIn(stored=2)
    view, search = Interaction.objects.order_by("pk")
    assert (view.event_id, view.extra_data) == ("e", {"scrollDepthPercent": 50})
    assert (search.session_id, search.search_query) == ("s", "tea")
    assert search.extra_data == {"resultsCount": 3, "filters": {"a": 1}, "b": 2}


@pytest.mark.django_db
def test_what_cannot_be_understood_is_kept_with_the_reason_and_holds_nothing_up() -> None:
    bad = put("glance", {"userId": "u", "productId": "p"})
    worse = put("view", [1, 2])
    good = put("view", {"userId": "u", "productId": "p"})
    assert take_in_inbox() == TakenIn(stored=1, refused=2)
    assert Interaction.objects.get().event_id == f"inbox:{good}"
    errors = dict(InboxEvent.objects.exclude(processed_at=None).values_list("pk", "error"))
    assert str(errors[bad]).startswith("interaction_type: Not an interaction type")
    assert errors[worse] == "event: An event is a JSON object."
    assert errors[good] is None
    assert take_in_inbox() == TakenIn()


@pytest.mark.django_db
def test_a_repeated_event_id_is_stored_once() -> None:
    for _ in range(2):
        put("view", {"userId": "u", "productId": "p", "eventId": "same"})
    assert take_in_inbox() == TakenIn(stored=1, duplicates=1)
    assert Interaction.objects.count() == 1


@pytest.mark.usefixtures("committed_inbox")
def test_two_workers_take_every_row_exactly_once() -> None:
    for number in range(200):
        put("view", {"userId": f"u{number}", "productId": "p"})
    taken: list[TakenIn] = []
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        while (batch := take_in_batch(limit=7)).rows:
            taken.append(batch)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(batch.stored for batch in taken) == 200
    assert Interaction.objects.count() == FreshInteraction.objects.count() == 200
    assert not InboxEvent.objects.filter(processed_at=None).exists()


@pytest.mark.usefixtures("committed_inbox")
def test_a_worker_passes_over_rows_that_another_one_holds() -> None:
    held = put("view", {"userId": "u", "productId": "p"})
    free = put("view", {"userId": "u", "productId": "p"})
    results: list[TakenIn] = []

    def work() -> None:
        results.append(take_in_inbox())
        connection.close()

    with transaction.atomic():
        InboxEvent.objects.select_for_update().get(pk=held)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join(timeout=20)
        assert results == [TakenIn(stored=1)]
    assert Interaction.objects.get().event_id == f"inbox:{free}"
    assert take_in_inbox() == TakenIn(stored=1)


@pytest.mark.usefixtures("committed_inbox")
def test_a_worker_that_dies_before_the_commit_leaves_the_rows_as_they_were() -> None:
    put("view", {"userId": "u", "productId": "p"})
    with transaction.atomic():
        assert take_in_batch() == TakenIn(stored=1)
        transaction.set_rollback(True)
    assert not Interaction.objects.exists()
    assert take_in_inbox() == TakenIn(stored=1)


@pytest.mark.django_db
def test_beat_ticks_every_ten_seconds() -> None:
    tick = PeriodicTask.objects.get(task="interactions.tasks.take_in_events")
    assert (tick.interval.every, tick.interval.period, tick.args, tick.enabled) == (10, "seconds", "[]", True)


@pytest.mark.django_db
def test_the_admin_lists_failed_rows_and_tries_them_again(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    failed = put("glance", {"userId": "u", "productId": "p"})
    put("view", {"userId": "u", "productId": "p"})
    take_in_inbox()
    url = "/admin/interactions/inboxevent/"
    page = client.get(url, {"outcome": "failed"}).content.decode()
    assert "glance" in page
    assert "1 event" in page or "1 inbox event" in page
    client.post(url, {"action": "try_again", "_selected_action": [failed]})
    InboxEvent.objects.filter(pk=failed).update(event_type="view")
    assert take_in_inbox() == TakenIn(stored=1)
    assert InboxEvent.objects.get(pk=failed).error is None


@pytest.mark.django_db
def test_a_number_too_long_to_read_is_refused_and_holds_up_nobody() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.events (event_type, payload) VALUES ('view', %s::jsonb)",
            ['{"user_id": ' + "9" * 5000 + "}"],
        )
    good = put("view", {"user_id": "u", "product_id": "p"})
    take_in_events()
    assert Interaction.objects.get().event_id == f"inbox:{good}"
    errors = InboxEvent.objects.order_by("pk").values_list("error", flat=True)
    assert list(errors) == ["The payload holds a run of 4,250 digits or more.", None]
    assert not InboxEvent.objects.filter(processed_at=None).exists()
