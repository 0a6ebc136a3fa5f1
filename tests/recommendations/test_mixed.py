"""What a tuned mix costs a request, and that it hears the same of a shopper by either way."""

import random
from dataclasses import astuple
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from recommendations import person
from recommendations.configuration import default_event_weights
from recommendations.contracts import Placement, Query
from recommendations.history import RECENT_EVENTS, profile_from, profile_of
from recommendations.learning.folding import fold_fresh
from recommendations.learning.train import train
from recommendations.recorder import recorder
from tests.recommendations.conftest import did, make_product
from tests.recommendations.test_conformance import every_signal

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LISTS = "/api/v1/recommendations"


@pytest.fixture
def shop() -> None:
    """Twelve products, and 30 orders of two each by ten shoppers."""
    for number in range(12):
        make_product(f"thing-{number}", axis=number, tilt=0.3)
    for number in range(30):
        for product in (number % 12, number * 5 % 12):
            did("purchase", f"thing-{product}", user=f"u-{number % 10}", order=f"o-{number}", days_ago=3 + number)


@pytest.mark.parametrize(
    ("path", "events", "queries"),
    [
        ("homepage?user_id=amina", 5, 1),
        ("homepage?user_id=amina", 40, 1),
        ("homepage?user_id=amina", RECENT_EVENTS + 20, 2),  # more than the first statement reads
        ("homepage?session_id=visit", 5, 1),
        ("cart?product_ids=thing-0,thing-1", 0, 1),
        ("frequently-bought-together/thing-0?", 0, 1),
        ("product/thing-0?", 0, 1),
    ],
)
def test_a_mix_of_every_signal_takes_one_query(
    api: APIClient, shop: None, unhurried: None, path: str, events: int, queries: int
) -> None:
    for number in range(events):
        did("view", f"thing-{number % 12}", user="amina", days_ago=number)
        did("view", f"thing-{number % 12}", session="visit", days_ago=number)
    while fold_fresh():
        pass
    train(settings=every_signal())
    for limit in (4, 12):
        api.get(f"{LISTS}/{path}&limit={limit}")
        recorder.close()
        with CaptureQueriesContext(connection) as captured:
            assert api.get(f"{LISTS}/{path}&limit={limit}").status_code == 200
        sent = [query["sql"] for query in captured if "served_lists" not in query["sql"]]
        assert len(sent) == queries, sent


@pytest.mark.parametrize("seed", range(6))
def test_a_profile_is_the_same_from_the_events_at_hand_as_from_the_whole_table(seed: int) -> None:
    draw = random.Random(seed)
    for number in range(8):
        make_product(f"thing-{number}", axis=number)
    kinds = ["view", "cart_add", "cart_remove", "purchase", "purchase", "recommendation_view"]
    for _ in range(draw.randrange(60)):
        kind, own = draw.choice(kinds), draw.random() < 0.7
        did(
            kind,
            f"thing-{draw.randrange(10)}",  # two of them are not in the mirror
            user="amina" if own else None,
            session=draw.choice(["visit", "other"]) if not own or draw.random() < 0.5 else None,
            order=draw.choice([None, "o-1", "o-2", "o-3"]) if kind == "purchase" else None,
            at=NOW - timedelta(days=draw.choice([draw.uniform(-0.5, 90), draw.randrange(3)])),
        )
    query = Query(Placement.HOMEPAGE, 10, user_id="amina", session_id="visit")
    _, known = person.read(query)
    assert known.whole
    weights = default_event_weights()
    quick = profile_from(known.events, now=NOW, event_weights=weights, half_life=60.0)
    slow = profile_of(query, now=NOW, event_weights=weights, half_life=60.0)
    for one, other in zip(astuple(quick), astuple(slow), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_who_has_done_more_than_a_request_reads_is_not_known_whole() -> None:
    make_product("thing-0")
    for number in range(RECENT_EVENTS):
        did("view", "thing-0", user="amina", days_ago=number)
    assert not person.read(Query(Placement.HOMEPAGE, 10, user_id="amina"))[1].whole
    assert person.read(Query(Placement.HOMEPAGE, 10, user_id="amina", as_of=datetime.now(UTC)))[1].whole
