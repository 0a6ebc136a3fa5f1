"""Vectors in memory: what pgvector finds when it compares everything, and always as new as the database."""

from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Product, ProductEmbedding
from recommendations import pipeline, vectors
from recommendations.contracts import Filters, Placement, Query
from recommendations.shelf import shelf
from recommendations.taste import format_vector
from recommendations.vectors import Vectors
from tests.recommendations.conftest import did, direction, make_product

pytestmark = pytest.mark.django_db(transaction=True)

EXACT = """
    SELECT e.product_id, 1 - (e.vector <=> %s::vector) FROM catalog_productembedding e
    JOIN catalog_product p ON p.id = e.product_id WHERE p.is_active AND p.price >= 5 ORDER BY 2 DESC, 1 LIMIT 25
"""


def make_many(count: int) -> None:
    random = np.random.default_rng(3)
    products = Product.objects.bulk_create(
        [
            Product(product_id=f"p{number}", title="P", price=number % 10, is_active=number % 7 > 0)
            for number in range(count)
        ]
    )
    ProductEmbedding.objects.bulk_create(
        [ProductEmbedding(product=one, vector=list(random.standard_normal(384)), text_hash="x") for one in products]
    )
    shelf.refresh()


@pytest.mark.parametrize(
    ("coarse_from", "few"),
    [(10, 8), (10_000, 8), (10, 1), (10_000, 1)],
    ids=["coarse first", "exact at once", "few of many", "few of few"],
)
def test_the_nearest_are_those_of_an_exact_comparison(
    coarse_from: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "COARSE_FROM", coarse_from)
    monkeypatch.setattr(vectors, "FEW", few)
    monkeypatch.setattr(vectors, "COMPARED", 60)
    make_many(400)
    held, random = Vectors(), np.random.default_rng(5)
    assert held.are_held
    allowed = shelf.eligible(Filters(min_price=5))  # type: ignore[arg-type]
    for _ in range(20):
        target = random.standard_normal(384).astype(np.float32)
        slots, cosines = held.nearest(target, allowed, 25)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_indexscan = off")
            cursor.execute(EXACT, [format_vector(target)])
            expected = dict(cursor.fetchall())
        found = dict(zip(shelf.ids[slots].tolist(), cosines.tolist(), strict=True))
        assert found.keys() == expected.keys()
        assert found == pytest.approx(expected, abs=2e-6)


def test_as_many_axes_are_searched_as_hold_nine_tenths_of_the_variance() -> None:
    random, shares = np.random.default_rng(7), np.zeros(384)
    shares[[3, 40, 200]], shares[300:340] = (0.5, 0.3, 0.05), 0.15 / 40
    spread = (random.standard_normal((20_000, 384)) * np.sqrt(shares)).astype(np.float32)
    axes = vectors.principal_axes(spread)
    assert axes.shape == (384, 32)
    assert np.abs(axes[[3, 40, 200], [0, 1, 2]]) == pytest.approx([1, 1, 1], abs=0.01)
    assert vectors.principal_axes(spread * (np.arange(384) >= 300)).shape == (384, 64)
    assert vectors.principal_axes(np.zeros((5, 384), np.float32)).shape == (384, 384)


def test_a_new_embedding_and_a_changed_one_are_found_by_the_next_request() -> None:
    make_product("liked", axis=0)
    other = make_product("other", axis=5)
    did("view", "liked", user="amina")
    query = Query(Placement.HOMEPAGE, 4, user_id="amina")
    assert {item.facts.product_id: item.scored.content for item in pipeline.recommend(query).items}["other"] == 0
    ProductEmbedding.objects.filter(product=other).update(vector=direction(0, towards=1, by=0.2))
    make_product("new", axis=0, tilt=0.1)
    content = {item.facts.product_id: item.scored.content for item in pipeline.recommend(query).items}
    assert content["liked"] > content["new"] > content["other"] > 0.5
    with CaptureQueriesContext(connection) as captured:
        pipeline.recommend(query)
    assert len([query for query in captured if "vector_send(e.vector)" in query["sql"]]) == 0


def test_a_shop_beyond_the_limit_is_answered_alike_by_pgvector(settings: Any) -> None:
    for number in range(30):
        make_product(f"p{number}", axis=number % 6, tilt=number / 40, category=f"C{number % 5}")
    did("purchase", "p3", user="amina")
    did("view", "p10", user="amina", days_ago=3)
    queries = [
        Query(Placement.HOMEPAGE, 12, user_id="amina"),
        Query(Placement.CART, 8, anchors=("p3", "p4")),
        Query(Placement.PRODUCT, 8, anchors=("p3",), filters=Filters("C2")),
    ]
    held = [pipeline.recommend(query) for query in queries]
    assert vectors.vectors.are_held
    settings.REEMIO_VECTORS_IN_MEMORY = 29
    vectors.vectors.clear()
    asked = [pipeline.recommend(query) for query in queries]
    assert not vectors.vectors.are_held
    for one, other in zip(held, asked, strict=True):
        assert [item.facts.product_id for item in one.items] == [item.facts.product_id for item in other.items]
        assert [item.scored.score for item in one.items] == pytest.approx(
            [item.scored.score for item in other.items], abs=1e-5
        )


def test_a_product_without_an_embedding_is_near_to_nothing() -> None:
    make_product("liked", axis=0)
    Product.objects.create(product_id="unread", title="Unread", price=10)
    assert vectors.vectors.are_held
    slots, _ = vectors.vectors.nearest(np.array(direction(0), np.float32), shelf.eligible(Filters()), 5)
    assert shelf.ids[slots].tolist() == shelf.ids_of(["liked"])
    assert list(vectors.vectors.of(shelf.ids_of(["liked", "unread"]))) == shelf.ids_of(["liked"])
