"""A small shop for the engine's tests: made-up vectors, so that no model has to be loaded."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from catalog.models import Product, ProductEmbedding
from interactions.models import FreshInteraction, Interaction
from recommendations import experiments, levels, merchandising, neighbours, popular, selectors, visit_index
from recommendations.recorder import recorder
from recommendations.reranking import registered
from recommendations.shelf import shelf
from recommendations.vectors import vectors

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_engine() -> Iterator[None]:
    """Forget what this process keeps between requests: each test has a database of its own."""
    forgetful = (neighbours, popular, selectors, merchandising, levels, visit_index, experiments)
    for forget in (shelf.clear, vectors.clear, *(one.forget for one in forgetful)):
        forget()
    yield
    recorder.close()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is read every few seconds be read once: on a slow machine, a test would count such queries, too."""
    for module in (experiments, selectors, registered):
        monkeypatch.setattr(module, "KEEP_SECONDS", 600.0)
    monkeypatch.setattr(popular, "REFRESH_SECONDS", 600.0)


def direction(axis: int, *, towards: int | None = None, by: float = 0.0) -> list[float]:
    """Return a unit vector along one axis, tilted `by` towards another."""
    vector = np.zeros(384)
    vector[axis] = 1.0
    if towards is not None:
        vector[towards] = by
    return list(vector / np.linalg.norm(vector))


def make_product(product_id: str, *, axis: int = 0, tilt: float = 0.0, **fields: Any) -> Product:
    """Make a product whose vector lies along `axis`, tilted towards the next one."""
    defaults = {
        "title": product_id.replace("-", " ").title(),
        "category": "Things",
        "brand": "",
        "price": Decimal("10.00"),
        "currency": "USD",
    }
    product = Product.objects.create(product_id=product_id, **(defaults | fields))
    ProductEmbedding.objects.create(product=product, vector=direction(axis, towards=axis + 1, by=tilt), text_hash="x")
    return product


def did(
    kind: str, product_id: str, *, user: str | None = None, session: str | None = None, days_ago: float = 0.0,
    order: str | None = None, fresh: bool = True, at: datetime | None = None,
) -> Interaction:  # fmt: skip
    """Store one event as ingestion does: with its place in the queue of what is to be learned."""
    event = Interaction.objects.create(
        interaction_type=kind,
        user_id=user,
        session_id=session,
        product_id=product_id,
        occurred_at=at or datetime.now(UTC) - timedelta(days=days_ago),
        order_id=order,
    )
    if fresh:
        FreshInteraction.objects.create(interaction=event)
    return event
