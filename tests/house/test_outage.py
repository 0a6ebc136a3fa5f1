"""While PostgreSQL is away, callers are asked to come again; once it is back, nobody has to help."""

from collections.abc import Callable
from functools import partial

import httpx
from django.db import connection

HOMEPAGE = "/api/v1/recommendations/homepage"


def end_connections() -> int:
    """End everybody else's connections to this test's database, as a restart does; return how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def asked_until(status: int, ask: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Ask again while the answer is 503: each thread of the server has a connection of its own to lose."""
    answers = [ask()]
    while answers[-1].status_code == 503:
        answers.append(ask())
    assert answers[-1].status_code == status
    return answers


def test_a_lost_connection_is_a_503_with_retry_after_and_costs_no_event(granian_server: str) -> None:
    with httpx.Client(base_url=granian_server, timeout=30) as client:
        answers = []
        for number in range(3):
            event = {"user_id": "u", "product_id": "p", "interaction_type": "view", "event_id": f"event-{number}"}
            answers += asked_until(200, partial(client.get, HOMEPAGE))
            assert end_connections() >= 1
            answers += asked_until(201, partial(client.post, "/api/v1/interactions", json=event))
        away = [answer for answer in answers if answer.status_code == 503]
        assert away, "no request met the outage"
        assert {answer.headers["Retry-After"] for answer in away} == {"2"}
        assert {answer.json()["errors"][0]["code"] for answer in away} == {"unavailable"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id FROM user_interactions ORDER BY event_id")
        assert cursor.fetchall() == [("event-0",), ("event-1",), ("event-2",)]
