"""A shop with a few products and people, a mail server, and campaigns that are live."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from campaigns.definitions import Kind
from campaigns.models import Campaign, OutboxMessage
from catalog.models import Product
from interactions.models import Interaction, Shopper
from recommendations import neighbours, popular, selectors
from recommendations.recorder import recorder
from recommendations.shelf import shelf
from tests.campaigns.mailserver import Inbox, smtp_server
from tests.recommendations.conftest import make_product

# A Tuesday at noon in Nairobi.
NOON = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_engine() -> Iterator[None]:
    """Forget what this process keeps between requests: each test has a database of its own."""
    for forget in (shelf.clear, neighbours.forget, popular.forget, selectors.forget):
        forget()
    yield
    recorder.close()


@pytest.fixture
def inbox(settings: Settings) -> Iterator[Inbox]:
    """A mail server that the installation sends through."""
    with smtp_server() as (inbox, port):
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", port, 2
        yield inbox


@pytest.fixture
def shop(db: None) -> list[Product]:
    """Twelve products in four categories; every campaign is live since long ago."""
    Campaign.objects.update(mode="live", live_since=NOON - timedelta(days=900), mode_changed_at=NOON)
    products = [
        make_product(
            f"p{number}", axis=number % 4, tilt=number / 20, category=f"Things > Kind {number % 4}",
            url=f"/shop/products/p{number}", image_url=f"/shop/pictures/p{number}.svg", stock_quantity=5,
        )
        for number in range(12)
    ]  # fmt: skip
    Product.objects.update(created_at=NOON - timedelta(days=800))
    return products


def person(user_id: str = "akinyi", **fields: Any) -> Shopper:
    """Make somebody who wants mail."""
    defaults = {
        "email": f"{user_id}@example.com",
        "name": f"{user_id.title()} Adhiambo",
        "timezone": "Africa/Nairobi",
        "marketing_consent": True,
    }
    return Shopper.objects.create(user_id=user_id, **(defaults | fields))


def did(kind: str, product_id: str, *, at: datetime, user: str = "akinyi", **fields: Any) -> Interaction:
    """Store what somebody did."""
    return Interaction.objects.create(
        interaction_type=kind, user_id=user, product_id=product_id, occurred_at=at, received_at=at, **fields
    )


def abandoned(user: str = "akinyi", *products: str, now: datetime = NOON, hours: float = 3.0) -> None:
    """Put products into somebody's cart and let them go away."""
    for product in products or ("p1",):
        did("cart_add", product, at=now - timedelta(hours=hours), user=user)


def campaign(kind: str = Kind.CART_ABANDONMENT) -> Campaign:
    """Return a campaign as it stands."""
    return Campaign.objects.get(kind=kind)


def outbox(**wanted: Any) -> list[tuple[str, str, str]]:
    """Return who is in the outbox, in which state, and why."""
    rows = OutboxMessage.objects.filter(**wanted).order_by("user_id", "pk")
    return list(rows.values_list("user_id", "state", "reason"))


def now() -> datetime:
    """Return the present moment."""
    return timezone.now()
