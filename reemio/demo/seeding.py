"""Putting the made-up life of the demo shop into the database: at once, the same for a seed, and never twice."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from statistics import NormalDist
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from catalog.models import Product
from interactions.events import NewInteraction
from interactions.importing.run import copy_line
from interactions.importing.staging import Line, store
from interactions.models import InboxEvent, OrderRefund, Shopper
from interactions.services.inbox import take_in_inbox
from recommendations.contracts import Placement
from recommendations.experiments import Running, Variant, subject_of
from recommendations.models import Experiment, ExperimentVariant, ServedList
from reemio.demo import population
from reemio.demo.catalogue import DemoProduct, load_products
from reemio.demo.found import FoundList, found_lists
from reemio.demo.mailed import Mail, mails
from reemio.demo.outbox import add_mails
from reemio.demo.personas import SHOPPERS

DAYS = 90
BACKGROUND_SHOPPERS = 600
_SEEDING = 7_349_101  # an advisory lock's number
_BATCH = 2000
# How many products the shop's pages ask for.
ASKED = {"homepage": 12, "product": 8, "bought_together": 4, "cart": 8, "search": 24}
# An experiment that has run on the homepage for six weeks. Of the crowd's clicks on A's lists, some are left out: so
# there is something to find.
EXPERIMENT = Running(
    0, "demo-category-share", "homepage", 100, (Variant("A", 1), Variant("B", 1, {"category_share": 0.5}))
)
EXPERIMENT_DAYS = 42
WITHOUT_CLICK = 0.7
# Milliseconds that a list took, by placement: the median; three quarters of them lie within a third of it.
TYPICAL_MS = {"homepage": 4.5, "product": 3.8, "bought_together": 3.2, "cart": 5.6, "search": 9.0}
# One order of so many came back whole.
ORDERS_A_REFUND = 40
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
        crowd = list(
            population.background_events(
                products, now=anchor.now, days=DAYS, shoppers=BACKGROUND_SHOPPERS, seed=anchor.seed
            )
        )
        lists = list(
            population.served_lists(products, now=anchor.now, days=DAYS, shoppers=BACKGROUND_SHOPPERS, seed=anchor.seed)
        )
        crowd = _with_an_effect(crowd, lists, anchor)
        found = found_lists(crowd, products)
        mailed = mails(crowd, products, now=anchor.now, days=DAYS)
        told = [*(event for one in found for event in one.told), *(one.click for one in mailed if one.click)]
        _add_experiment(anchor)
        _add_refunds(crowd)
        seeded = Seeded(
            anchor=anchor,
            shoppers=_add_shoppers(anchor),
            interactions=_add_interactions(products, anchor, [*crowd, *told]),
            served_lists=_add_served_lists(anchor, lists, found, mailed),
            inbox_rows=_add_inbox(products, anchor),
        )
        add_mails(mailed)
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


def _add_interactions(products: tuple[DemoProduct, ...], anchor: Anchor, of_others: Iterable[population.Event]) -> int:
    """Store what is not stored yet, and note in the same statement whose history that rewrites."""
    personas = population.persona_events(products, now=anchor.now, seed=anchor.seed)
    return store([*_lines(personas), *_lines(of_others)])


def _lines(events: Iterable[population.Event]) -> Iterator[Line]:
    for event in events:
        said: dict[str, Any] = {name: value for name, value in event.items() if value is not None}
        text = f"{event['event_id']}\t{copy_line(NewInteraction(**said))}"
        yield Line(event["event_id"], text, event["user_id"], event["session_id"])


def _add_experiment(anchor: Anchor) -> None:
    """Let an experiment run on the homepage, unless one does already."""
    running = Experiment.objects.filter(state=Experiment.State.RUNNING, placement=EXPERIMENT.placement)
    row, is_new = Experiment.objects.get_or_create(
        key=EXPERIMENT.key,
        defaults={
            "name": "Fewer limits on one category",
            "hypothesis": "Shoppers who look for one thing click more where half of the list may be of one category.",
            "placement": EXPERIMENT.placement,
            "state": Experiment.State.FINISHED if running.exists() else Experiment.State.RUNNING,
            "started_at": anchor.now - timedelta(days=EXPERIMENT_DAYS),
        },
    )
    if is_new:
        ExperimentVariant.objects.bulk_create(
            ExperimentVariant(experiment=row, name=one.name, weight=one.weight, settings=one.settings)
            for one in EXPERIMENT.variants
        )


def _add_refunds(crowd: Iterable[population.Event]) -> None:
    """Some orders of the crowd came back, three days later."""
    bought = {event["order_id"]: event["occurred_at"] for event in crowd if event["order_id"]}
    OrderRefund.objects.bulk_create(
        [
            OrderRefund(order_id=order_id, refund_id="", occurred_at=at + timedelta(days=3))
            for order_id, at in bought.items()
            if blake2b(order_id.encode(), digest_size=2).digest()[0] % ORDERS_A_REFUND == 0
        ],
        ignore_conflicts=True,
    )


def _with_an_effect(
    crowd: Sequence[population.Event], lists: Iterable[population.ServedList], anchor: Anchor
) -> list[population.Event]:
    """Return the crowd's events without some of the clicks on lists of the experiment's first variant."""
    first = f"{EXPERIMENT.key}:{EXPERIMENT.variants[0].name}"
    shown = {one.request_id for one in lists if _variant(one, anchor) == first}
    return [
        event
        for event in crowd
        if event["interaction_type"] != "recommendation_click"
        or event["recommendation_request_id"] not in shown
        or _drawn(event["event_id"]) >= WITHOUT_CLICK
    ]


def _drawn(text: str) -> float:
    """Return a number from 0 to 1 that a text decides."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest()) / 2**32


def _took(request_id: UUID, placement: str) -> float:
    """Return how long a made-up list took: around what such a list takes on a small machine, now and then much more."""
    spread = NormalDist().inv_cdf(min(max(_drawn(str(request_id)), 1e-6), 1 - 1e-6))
    return round(TYPICAL_MS[placement] * math.exp(0.3 * spread + max(0.0, spread - 1.4)), 2)


def _add_served_lists(
    anchor: Anchor, lists: Iterable[population.ServedList], found: Iterable[FoundList], mailed: Iterable[Mail]
) -> int:
    rows = [
        *(_served_list(one, anchor) for one in lists),
        *map(_search_list, found),
        *(_mailed_list(one) for one in mailed if one.product_ids),
    ]
    before = ServedList.objects.count()
    ServedList.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
    return ServedList.objects.count() - before


def _served_list(one: population.ServedList, anchor: Anchor) -> ServedList:
    """Return the row of a made-up list. No model made it: it has no version, and its scores only fall."""
    placements = {"product_page": Placement.PRODUCT, "cart": Placement.CART, "homepage": Placement.HOMEPAGE}
    placement = Placement.BOUGHT_TOGETHER if one.strategy == "bought_together" else placements[one.context]
    return ServedList(
        request_id=one.request_id,
        served_at=one.served_at,
        placement=placement,
        context=one.context,
        strategy=one.strategy,
        user_id=one.user_id or "",
        session_id=one.session_id,
        anchors=[one.anchor_id] if one.anchor_id else [],
        products=list(one.product_ids),
        scores=[round(1 - place / 50, 4) for place in range(len(one.product_ids))],
        variant=_variant(one, anchor),
        asked_for=ASKED[placement],
        milliseconds=_took(one.request_id, placement),
    )


def _variant(one: population.ServedList, anchor: Anchor) -> str:
    """Return the variant that the shopper was in, as the engine would have assigned it."""
    if one.context != EXPERIMENT.placement or one.served_at < anchor.now - timedelta(days=EXPERIMENT_DAYS):
        return ""
    variant = EXPERIMENT.variant_of(subject_of(one.user_id or "", one.session_id))
    return f"{EXPERIMENT.key}:{variant.name}" if variant else ""


def _search_list(one: FoundList) -> ServedList:
    """Return the row of made-up search results."""
    return ServedList(
        request_id=one.request_id,
        served_at=one.search["occurred_at"],
        placement="search",
        context="",
        strategy="search",
        user_id=one.search["user_id"] or "",
        session_id=one.search["session_id"],
        anchors=[one.query],
        products=list(one.product_ids),
        scores=[round(1 - place / 50, 4) for place in range(len(one.product_ids))],
        asked_for=ASKED["search"],
        milliseconds=_took(one.request_id, "search"),
    )


def _mailed_list(one: Mail) -> ServedList:
    """Return the row of the list that a mail showed."""
    return ServedList(
        request_id=one.request_id,
        served_at=one.planned_at,
        placement="email",
        context="email",
        strategy="cart" if one.kind == "cart_abandonment" else "personalized",
        user_id=one.user_id,
        session_id="",
        anchors=[],
        products=list(one.product_ids),
        scores=[round(1 - place / 50, 4) for place in range(len(one.product_ids))],
        campaign=one.kind,
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
