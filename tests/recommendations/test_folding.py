"""Folding takes each event exactly once, and what it adds up equals a recount."""

import json
import threading
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from django.db import connection, connections

from interactions.models import FreshInteraction, RewrittenHistory
from recommendations.forward_decay import recount_popularity
from recommendations.learning import folding
from recommendations.learning.folding import fold_fresh
from recommendations.learning.preferences import recount_everybody, recount_rewritten
from recommendations.models import ProductPopularity, Taste
from recommendations.selectors import event_weights
from recommendations.taste import parse_vector
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = ["purchase", "cart_add", "wishlist_add", "recommendation_click", "view", "recommendation_view", "cart_remove"]


def stored() -> dict[str, tuple[np.ndarray, float, dict[str, float], int]]:
    """Return every taste, decayed to one moment."""
    tastes = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject, as_of, vector::text, weight, categories, events FROM tastes")
        for subject, as_of, vector, weight, categories, events in cursor.fetchall():
            factor = np.exp((as_of - datetime(2026, 1, 1, tzinfo=UTC)) / timedelta(days=30))
            spread = {path: value * factor for path, value in json.loads(categories).items()}
            tastes[subject] = (parse_vector(vector) * factor, weight * factor, spread, events)
    return tastes


def random_events(random: Random, count: int) -> None:
    for _ in range(count):
        who = random.choice([{"user": "a"}, {"user": "b"}, {"session": "s"}])
        day = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=random.uniform(-60, 0))
        did(random.choice(KINDS), f"p{random.randrange(6)}", at=day, **who)


@pytest.mark.parametrize("seed", range(5))
def test_folding_in_any_batches_equals_a_full_recount(seed: int) -> None:
    random = Random(seed)
    for number in range(6):
        make_product(f"p{number}", axis=number * 3, tilt=0.3, category=["Garden", "Sports"][number % 2])
    for _ in range(4):
        random_events(random, 15)
        fold_fresh(most=random.randrange(1, 30))
    while fold_fresh():
        pass
    incremental, popularity = stored(), dict(ProductPopularity.objects.values_list("product", "score"))
    recount_everybody()
    recounted = stored()
    assert incremental.keys() == recounted.keys() == {"u:a", "u:b", "s:s"}
    for subject, (vector, weight, categories, events) in recounted.items():
        np.testing.assert_allclose(incremental[subject][0], vector, rtol=1e-4, atol=1e-4 * np.abs(vector).max())
        assert incremental[subject][1] == pytest.approx(weight, rel=1e-4)
        assert incremental[subject][2] == pytest.approx(categories, rel=1e-4)
        assert incremental[subject][3] == events
    recount_popularity(event_weights())
    for product, score in ProductPopularity.objects.values_list("product", "score"):
        assert popularity[product] == pytest.approx(score, rel=1e-6)


def test_an_event_of_an_unknown_product_waits_until_the_product_is_there() -> None:
    did("view", "later", user="a")
    assert fold_fresh() == 0
    assert FreshInteraction.objects.count() == 1
    make_product("later")
    assert fold_fresh() == 1
    assert Taste.objects.get().events == 1


def test_two_folders_at_once_fold_each_event_once() -> None:
    make_product("p0")
    for number in range(60):
        did("view", "p0", user=f"user-{number % 7}")
    counts: list[int] = []

    def fold() -> None:
        try:
            while count := fold_fresh(most=7):
                counts.append(count)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=fold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    while count := fold_fresh():
        counts.append(count)
    assert sum(counts) == 60
    assert sum(Taste.objects.values_list("events", flat=True)) == 60
    assert ProductPopularity.objects.get().shoppers == 60


def test_a_folder_that_dies_half_way_leaves_its_events_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    make_product("p0")
    did("view", "p0", user="a")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(folding, "_fold_popularity", die)
        with pytest.raises(KeyboardInterrupt):
            fold_fresh()
    assert (FreshInteraction.objects.count(), Taste.objects.count()) == (1, 0)
    assert fold_fresh() == 1
    assert (Taste.objects.get().events, ProductPopularity.objects.get().shoppers) == (1, 1)


def test_a_rewritten_history_is_recounted_once() -> None:
    make_product("p0")
    did("view", "p0", user="a", fresh=False)
    RewrittenHistory.objects.create(subject="u:a")
    RewrittenHistory.objects.create(subject="u:gone")
    assert recount_rewritten() == 2
    assert RewrittenHistory.objects.count() == 0
    assert Taste.objects.get().subject == "u:a"
