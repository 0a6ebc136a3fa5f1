"""Putting the made-up life of the demo shop into the database: at once, the same for a seed, and never twice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from catalog.models import Product
from interactions.events import NewInteraction
from interactions.importing.run import copy_line
from interactions.importing.staging import Line, store
from interactions.models import InboxEvent, Shopper
from interactions.services.inbox import take_in_inbox
from recommendations.contracts import Placement
from recommendations.models import ServedList
from reemio.demo import population
from reemio.demo.catalogue import DemoProduct, load_products
from reemio.demo.personas import SHOPPERS

DAYS = 60
BACKGROUND_SHOPPERS = 600
_SEEDING = 7_349_101  # an advisory lock's number
_BATCH = 2000
# How the row of a shopper remembers when and how they were made up.
SEED_KEY, SEEDED_AT_KEY = "demo_seed", "demo_seeded_at"


class CatalogueMissingError(Exception):
    """The bundled catalogue is not in the mirror, or not all of it."""


class SeededDifferentlyError(Exception):
    """The demo data are there, from another seed or another moment."""

    def __init__(self, anchor: "Anchor") -> None:
        super().__init__(f"The demo data are there already, from seed {anchor.seed} and {anchor.now.isoformat()}.")


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the data are made from: a seed, and the moment up to which everything happened."""

    seed: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seeding added: nothing, where it was done before."""

    anchor: Anchor
    shoppers: int
    interactions: int
    served_lists: int
    inbox_rows: int


def seed_demo(*, now: datetime, seed: int | None = None, moment: datetime | None = None) -> Seeded:
    """Add the ten shoppers, everybody's events, the lists they were served, and the inbox; take the inbox in.

    The first seeding settles the seed (42 unless given) and the moment (`moment`, or `now`); later ones keep both, so
    that the next day's adds nothing and moves nothing. One transaction: all of it is there, or nothing.
    Raises `CatalogueMissingError` without the bundled products, `SeededDifferentlyError` where `seed` or `moment`
    is given and is not what was settled.
    """
    products = _products_in_mirror()
    with transaction.atomic():
        _lock()
        settled = find_anchor()
        anchor = settled or Anchor(42 if seed is None else seed, moment or now)
        if (seed is not None and seed != anchor.seed) or (moment is not None and moment != anchor.now):
            raise SeededDifferentlyError(anchor)
        seeded = Seeded(
            anchor=anchor,
            shoppers=_add_shoppers(anchor),
            interactions=_add_interactions(products, anchor),
            served_lists=_add_served_lists(products, anchor),
            inbox_rows=_add_inbox(products, anchor),
        )
    take_in_inbox()
    return seeded


def find_anchor() -> Anchor | None:
    """Return what the present data were made from, as the shoppers' rows remember it; None before the first time."""
    seeded = Shopper.objects.filter(
        user_id__in=[shopper.user_id for shopper in SHOPPERS], attributes__has_keys=[SEED_KEY, SEEDED_AT_KEY]
    )
    row = seeded.order_by("user_id").first()
    if row is None:
        return None
    return Anchor(row.attributes[SEED_KEY], datetime.fromisoformat(row.attributes[SEEDED_AT_KEY]))


def _products_in_mirror() -> tuple[DemoProduct, ...]:
    products = load_products()
    wanted = [product.product_id for product in products]
    if Product.objects.filter(product_id__in=wanted).count() < len(wanted):
        raise CatalogueMissingError
    return products


def _lock() -> None:
    """Wait for a seeding that is under way; it holds the lock until its transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SEEDING])


def _add_shoppers(anchor: Anchor) -> int:
    rows = [
        Shopper(
            user_id=shopper.user_id,
            email=shopper.email,
            name=shopper.name,
            timezone=shopper.timezone,
            locale="en-KE",
            marketing_consent=shopper.marketing_consent,
            attributes={
                "persona": shopper.persona,
                SEED_KEY: anchor.seed,
                SEEDED_AT_KEY: anchor.now.isoformat(),
            },
        )
        for shopper in SHOPPERS
    ]
    before = Shopper.objects.count()
    Shopper.objects.bulk_create(rows, ignore_conflicts=True)
    return Shopper.objects.count() - before


def _add_interactions(products: tuple[DemoProduct, ...], anchor: Anchor) -> int:
    """Store what is not stored yet, and note in the same statement whose history that rewrites."""
    personas = population.persona_events(products, now=anchor.now, seed=anchor.seed)
    background = population.background_events(
        products, now=anchor.now, days=DAYS, shoppers=BACKGROUND_SHOPPERS, seed=anchor.seed
    )
    return store([*_lines(personas), *_lines(background)])


def _lines(events: Iterable[population.Event]) -> Iterator[Line]:
    for event in events:
        said: dict[str, Any] = {name: value for name, value in event.items() if value is not None}
        text = f"{event['event_id']}\t{copy_line(NewInteraction(**said))}"
        yield Line(event["event_id"], text, event["user_id"], event["session_id"])


def _add_served_lists(products: tuple[DemoProduct, ...], anchor: Anchor) -> int:
    lists = population.served_lists(products, now=anchor.now, days=DAYS, shoppers=BACKGROUND_SHOPPERS, seed=anchor.seed)
    rows = [_served_list(one) for one in lists]
    before = ServedList.objects.count()
    ServedList.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    return ServedList.objects.count() - before


def _served_list(one: population.ServedList) -> ServedList:
    """Return the row of a made-up list. No model made it: it has no version, and its scores only fall."""
    placements = {"product_page": Placement.PRODUCT, "cart": Placement.CART, "homepage": Placement.HOMEPAGE}
    together = one.strategy == "bought_together"
    return ServedList(
        request_id=one.request_id,
        served_at=one.served_at,
        placement=Placement.BOUGHT_TOGETHER if together else placements[one.context],
        context=one.context,
        strategy=one.strategy,
        user_id=one.user_id or "",
        session_id=one.session_id,
        anchors=[one.anchor_id] if one.anchor_id else [],
        products=list(one.product_ids),
        scores=[round(1 - place / 50, 4) for place in range(len(one.product_ids))],
        milliseconds=0.0,
    )


def _add_inbox(products: tuple[DemoProduct, ...], anchor: Anchor) -> int:
    rows = list(population.inbox_events(products, now=anchor.now, shoppers=BACKGROUND_SHOPPERS, seed=anchor.seed))
    event_ids = [row.payload["event_id"] for row in rows]
    known = set(InboxEvent.objects.filter(payload__event_id__in=event_ids).values_list("payload__event_id", flat=True))
    new = [
        InboxEvent(event_type=row.event_type, payload=row.payload, created_at=row.created_at)
        for row in rows
        if row.payload["event_id"] not in known
    ]
    InboxEvent.objects.bulk_create(new, batch_size=_BATCH)
    return len(new)
