"""What the demo makes up, made once for all tests that look at it."""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from uuid import UUID

from reemio.demo.population import (
    Event,
    InboxRow,
    ServedList,
    background_events,
    inbox_events,
    load_products,
    persona_events,
    served_lists,
)

NOW = datetime(2026, 11, 22, 21, 30, tzinfo=UTC)
SEED = 42
PRODUCTS = load_products()
BY_ID = {product.product_id: product for product in PRODUCTS}


@cache
def personas(seed: int = SEED) -> list[Event]:
    return list(persona_events(PRODUCTS, now=NOW, seed=seed))


@cache
def background() -> list[Event]:
    return list(background_events(PRODUCTS, now=NOW, seed=SEED))


@cache
def lists() -> dict[UUID, ServedList]:
    return {one.request_id: one for one in served_lists(PRODUCTS, now=NOW, seed=SEED)}


@cache
def inbox() -> list[InboxRow]:
    return list(inbox_events(PRODUCTS, now=NOW, seed=SEED))


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(event["interaction_type"] for event in events)
