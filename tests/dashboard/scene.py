"""A small shop in which something happened on every page of the dashboard: raw rows, counted as they are in life."""

import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
from django.utils import timezone

from analytics.rollups.run import roll_up
from catalog.models import CatalogSync, Product, ProductEmbedding
from interactions.models import Interaction, Shopper
from recommendations import engine_settings, merchandising, neighbours, popular, selectors
from recommendations.models import ModelVersion, ServedList
from recommendations.shelf import shelf
from recommendations.vectors import vectors

DAYS, PRODUCTS = 5, 14
PEOPLE = {"ada-lovelace": "Ada Lovelace", "grace-hopper": "Grace Hopper"}


def paint() -> None:
    """Make products, people, lists, events and settings, and count them."""
    for forget in (
        shelf.clear,
        vectors.clear,
        neighbours.forget,
        popular.forget,
        selectors.forget,
        merchandising.forget,
    ):
        forget()
    _products()
    for user_id, name in PEOPLE.items():
        Shopper.objects.create(user_id=user_id, name=name, email=f"{user_id}@example.com")
    now = timezone.now()
    for day in range(DAYS):
        for place, user in enumerate(PEOPLE):
            _visit(user, f"s{day}{place}", now - timedelta(days=day, hours=3 + place), bought=(day + place) % 2 == 0)
    ModelVersion.objects.create(state="active", as_of=now, activated_at=now)
    CatalogSync.objects.create(source="file", state="succeeded", started_at=now, finished_at=now, new=PRODUCTS)
    engine_settings.change_event_weights({"view": 1.2}, by="ada")
    roll_up()


def _products() -> None:
    random = np.random.default_rng(7)
    for number in range(1, PRODUCTS + 1):
        product = Product.objects.create(
            product_id=f"p{number}",
            title=f"Product {number}",
            category=["Garden > Tools", "Sports > Running"][number % 2],
            brand=["Oak", "Elm", ""][number % 3],
            price=Decimal(number * 5),
            currency="USD",
            stock_quantity=0 if number == PRODUCTS else None,
        )
        vector = random.normal(size=384)
        unit = (vector / np.linalg.norm(vector)).tolist()
        ProductEmbedding.objects.create(product=product, vector=unit, text_hash="x")


def _visit(user: str, session: str, at: datetime, *, bought: bool) -> None:
    """Let somebody see a list, click, search, and perhaps buy what was clicked and something else."""
    request, shown = uuid.uuid4(), [f"p{number}" for number in range(1, 9)]
    placement, context = (("homepage", "homepage"), ("product", "product_page"))[bought]
    ServedList.objects.create(
        request_id=request, served_at=at, placement=placement, context=context, strategy="personalized", user_id=user,
        session_id=session, products=shown, scores=[0.5] * 8, milliseconds=12.5,
    )  # fmt: skip
    about = {"user_id": user, "session_id": session}
    credit = {"recommendation_context": context, "recommendation_request_id": request}
    rows = [
        Interaction(
            interaction_type="recommendation_view", product_id=product, occurred_at=at + timedelta(seconds=place),
            recommendation_position=place, extra_data={"device": "mobile"}, **about, **credit,
        )
        for place, product in enumerate(shown, start=1)
    ]  # fmt: skip
    clicked = {"product_id": "p2", "recommendation_position": 2, **about, **credit}
    rows.append(Interaction(interaction_type="recommendation_click", occurred_at=at + timedelta(minutes=1), **clicked))
    rows.append(Interaction(interaction_type="view", product_id="p2", occurred_at=at + timedelta(minutes=1), **about))
    for query, results in (("trowel", 3), ("moon boots", 0)):
        found = {"search_query": query, "extra_data": {"resultsCount": results}}
        rows.append(Interaction(interaction_type="search", occurred_at=at + timedelta(minutes=2), **found, **about))
    if bought:
        order = {"order_id": f"o-{session}", "quantity": 1, "currency": "USD", **about}
        rows.append(
            Interaction(interaction_type="cart_add", product_id="p2", occurred_at=at + timedelta(minutes=3), **about)
        )
        for product, price in (("p2", 10), ("p9", 45)):
            moment = at + timedelta(minutes=4)
            line = {"product_id": product, "unit_price": Decimal(price), "occurred_at": moment}
            rows.append(Interaction(interaction_type="purchase", **line, **order))
    Interaction.objects.bulk_create(rows)
