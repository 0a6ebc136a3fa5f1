"""Steps of which the law of counting makes its examples: each is a plain dictionary that says what to do, with what.

What a step does not say is as in `PLAIN`; `minutes` and `seconds` count from the example's start.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.test import override_settings
from hypothesis import strategies as st

from analytics.rollups.run import recount_recent, roll_up, touch
from interactions.events import NewInteraction
from interactions.models import Interaction, OrderRefund
from interactions.services.record import record_interactions
from recommendations.models import ServedList
from reemio.people.services import erase_person, merge_person

Step = Mapping[str, Any]

# The clocks go back in Berlin on 2026-10-25 at 01:00 UTC, and forward in New York on 2026-03-08 at 07:00.
ZONES = {"Europe/Berlin": datetime(2026, 10, 25, tzinfo=UTC), "America/New_York": datetime(2026, 3, 8, 5, tzinfo=UTC),
         "Asia/Kolkata": datetime(2026, 5, 5, 18, tzinfo=UTC), "UTC": datetime(2026, 1, 1, tzinfo=UTC)}  # fmt: skip
REQUESTS = [uuid.UUID(int=number) for number in range(1, 5)]
PRODUCTS = ["a", "b", "c", "unknown"]
PEOPLE = [("ann", None), ("ann", "s1"), (None, "s1"), (None, "s2"), ("bob", "s2"), ("bob", None)]
KINDS = ["view", "cart_add", "recommendation_view", "recommendation_click", "purchase", "search"]
HOMEPAGE, EMAIL, SEARCH = ("homepage", "homepage"), ("email", "email"), ("search", "")
DAY = timedelta(days=1)
# Counted when parts, only hours, or only days of that time are kept.
DAYS_LATER = [1, 5, 18]

PLAIN: dict[str, dict[str, Any]] = {
    "event": {
        "kind": "view", "minutes": 0, "seconds": 7, "who": ("ann", None), "product": "a", "request": REQUESTS[0],
        "order": None, "quantity": None, "price": None, "currency": "", "context": "", "position": None,
        "device": None, "query": "", "results": None, "repeat": False, "delay": None,
    },
    "list": {
        "request": REQUESTS[0], "minutes": 0, "seconds": 0, "placement": HOMEPAGE, "products": ["b", "a"],
        "asked": None, "milliseconds": 3.0, "variant": "", "strategy": "popular", "campaign": "", "who": (None, None),
    },
    "refund": {"order": "o1", "id": "", "lines": []},
    "story": {
        "minutes": 0, "request": REQUESTS[0], "who": ("ann", None), "buyer": None, "placement": HOMEPAGE,
        "again": None, "also": None, "is_late": False, "after": timedelta(minutes=9), "refund": None, "then": None,
    },
    "change": {"kind": "view", "fields": {}, "minutes": None},
}  # fmt: skip

# Hours around a change of clocks, with minutes that lie on, before and after borders; and a few days away from it.
MINUTES = st.one_of(
    st.integers(-180, 300),
    st.sampled_from([-1, 0, 1, 4, 5, 6, 59, 60, 61, 119, 120, 121]),
    st.sampled_from([-6 * 1440, -5 * 1440, 2 * 1440, 7 * 1440]),
)
SECONDS = st.sampled_from([0, 2, 3, 7])
EVENT = st.fixed_dictionaries({
    "do": st.just("event"), "kind": st.sampled_from(KINDS), "minutes": MINUTES, "seconds": SECONDS,
    "who": st.sampled_from(PEOPLE), "product": st.sampled_from(PRODUCTS), "request": st.sampled_from(REQUESTS),
    "order": st.sampled_from([None, "o1", "o2"]),
    "quantity": st.sampled_from([None, 1, 3]), "price": st.sampled_from([None, Decimal("9.99"), Decimal(0)]),
    "currency": st.sampled_from(["", "EUR"]), "context": st.sampled_from(["", "homepage", "email"]),
    "position": st.sampled_from([None, 1, 2, 99]), "device": st.sampled_from([None, "mobile"]),
    "query": st.sampled_from(["Lamp", " lamp", "red  lamp", "x"]), "results": st.sampled_from([None, 0, 3]),
    "repeat": st.booleans(), "delay": st.sampled_from([None, None, None, 3600, 3601]),
})  # fmt: skip
SERVED = st.fixed_dictionaries({
    "do": st.just("list"), "request": st.sampled_from(REQUESTS), "minutes": MINUTES, "seconds": SECONDS,
    "placement": st.sampled_from([HOMEPAGE, EMAIL, SEARCH]), "strategy": st.sampled_from(["popular", "personalized"]),
    "products": st.lists(st.sampled_from(PRODUCTS), unique=True, max_size=4), "asked": st.sampled_from([None, 4]),
    "milliseconds": st.sampled_from([0.0, 0.3, 7.0, 41.5]), "variant": st.sampled_from(["", "test:A"]),
    "campaign": st.sampled_from(["", "weekly_digest"]), "who": st.sampled_from([(None, None), *PEOPLE]),
})  # fmt: skip
REFUND = st.fixed_dictionaries({
    "do": st.just("refund"), "order": st.sampled_from(["o1", "o2"]), "id": st.sampled_from(["", "r1", "r2"]),
    "lines": st.lists(st.tuples(st.sampled_from(PRODUCTS), st.integers(0, 2)), max_size=2, unique_by=lambda x: x[0]),
})  # fmt: skip
# What belongs together: a click in a list, what was bought after it, and what came back; mostly of one person.
STORY = st.fixed_dictionaries({
    "do": st.just("story"), "minutes": MINUTES, "request": st.sampled_from(REQUESTS), "who": st.sampled_from(PEOPLE),
    "buyer": st.one_of(st.none(), st.none(), st.sampled_from(PEOPLE)), "placement": st.sampled_from([HOMEPAGE, EMAIL]),
    "again": st.sampled_from([None, 1, 50, -50]), "also": st.sampled_from([None, 0, 2, 7]), "is_late": st.booleans(),
    "after": st.sampled_from(
        [timedelta(0), timedelta(minutes=9), 4 * DAY, 5 * DAY, 5 * DAY + timedelta(seconds=1), 6 * DAY, 8 * DAY]
    ),
    "refund": st.sampled_from([None, [], [("a", 1)], [("a", 0)]]),
    "then": st.sampled_from([None, None, "merge", "erase"]),
})  # fmt: skip
# Nothing of the product changes what was accepted in this way, but a shop's own SQL may.
CHANGE = st.fixed_dictionaries({
    "do": st.just("change"), "kind": st.sampled_from(KINDS), "minutes": st.sampled_from([None, -200, 3]),
    "fields": st.sampled_from([{}, {"order_id": "o2"}, {"user_id": "bob"}]),
})  # fmt: skip
OTHER = st.sampled_from([
    {"do": "merge"}, {"do": "erase"}, {"do": "count"}, {"do": "recount"}, {"do": "rebuild"}, {"do": "abroad"}
])  # fmt: skip
STEPS = st.lists(st.one_of(EVENT, EVENT, EVENT, SERVED, REFUND, STORY, STORY, CHANGE, OTHER), max_size=12)


def write(step: Step, start: datetime) -> None:
    """Do what a step says."""
    step = {**PLAIN.get(step["do"], {}), **step}
    at = start + timedelta(minutes=step.get("minutes") or 0, seconds=step.get("seconds", 7))
    match step["do"]:
        case "event":
            record(step, at)
            if step["repeat"]:
                record(step, at + timedelta(minutes=50))
        case "list":
            serve(step, at)
        case "refund":
            refund(step["order"], step["id"], step["lines"], at)
        case "story":
            tell(step, at)
        case "change":
            moved = {} if step["minutes"] is None else {"occurred_at": at}
            first = Interaction.objects.filter(interaction_type=step["kind"]).order_by("pk")[:1]
            Interaction.objects.filter(pk__in=first.values("pk")).update(**step["fields"], **moved)
        case "merge":
            merge_person(user_id="ann", session_id="s1")
        case "erase":
            erase_person("bob")
        case "count":
            roll_up()
        case "recount":
            recount_recent()
        case "rebuild":
            touch(since=None)
            roll_up()
        case "abroad":
            with override_settings(REEMIO_SHOP_TIME_ZONE="Pacific/Auckland"):
                roll_up()


def tell(step: Step, at: datetime) -> None:
    """Let somebody see and click a product (perhaps twice, the first time told last), buy, and send something back."""
    shown = {"kind": "recommendation_view", "request": step["request"], "context": step["placement"][1]}
    served = {"request": step["request"], "placement": step["placement"]}
    if not step["is_late"]:
        serve(PLAIN["list"] | served, at - timedelta(minutes=1))
    for moment in (at, at + timedelta(minutes=step["again"])) if step["again"] else (at,):
        for kind in ("recommendation_view", "recommendation_click"):
            record(PLAIN["event"] | shown | {"kind": kind, "who": step["who"]}, moment)
    if step["also"] is not None:
        other = REQUESTS[(REQUESTS.index(step["request"]) + 1) % len(REQUESTS)]
        record(PLAIN["event"] | shown | {"request": other, "who": step["who"]}, at + timedelta(minutes=step["also"]))
    bought = {"kind": "purchase", "who": step["buyer"] or step["who"], "quantity": 2, "price": Decimal(10)}
    for product in ("a", "c"):
        record(PLAIN["event"] | bought | {"product": product, "order": "o3"}, at + step["after"])
    if step["refund"] is not None:
        refund("o3", "r", step["refund"], at)
    if step["is_late"] or step["then"]:
        roll_up()
    if step["is_late"]:
        serve(PLAIN["list"] | served, at - timedelta(minutes=1))
    if step["then"]:
        write({"do": step["then"]}, at)


def serve(step: Step, at: datetime) -> None:
    """Write a list, if there is none under its id."""
    (placement, context), (user_id, session_id) = step["placement"], step["who"]
    row = ServedList(
        request_id=step["request"], served_at=at, placement=placement, context=context, strategy=step["strategy"],
        variant=step["variant"], campaign=step["campaign"], anchors=["Red lamp"] if placement == "search" else [],
        asked_for=step["asked"], products=step["products"], scores=[1.0] * len(step["products"]),
        milliseconds=step["milliseconds"], user_id=user_id or "", session_id=session_id or "",
    )  # fmt: skip
    ServedList.objects.bulk_create([row], ignore_conflicts=True)


def refund(order_id: str, refund_id: str, lines: Sequence[tuple[str, int]], at: datetime) -> None:
    """Write that these (product, quantity) of an order came back, or all of it; once for each id."""
    products, quantities = [line[0] for line in lines], [line[1] for line in lines]
    row = OrderRefund(order_id=order_id, refund_id=refund_id, products=products, quantities=quantities, occurred_at=at)
    OrderRefund.objects.bulk_create([row], ignore_conflicts=True)


def record(step: Step, at: datetime) -> None:
    """Record an event; it was received so many seconds later, if that is told."""
    kind, (user_id, session_id) = step["kind"], step["who"]
    is_search, is_shown, is_bought = kind == "search", kind.startswith("recommendation"), kind == "purchase"
    extra = {"device": step["device"], "resultsCount": step["results"]} if is_search else {"device": step["device"]}
    event = NewInteraction(
        kind, at, user_id, session_id, None if is_search else step["product"],
        quantity=step["quantity"] if is_bought else None, unit_price=step["price"] if is_bought else None,
        currency=step["currency"] if is_bought else "", order_id=step["order"] if is_bought else None,
        recommendation_context=step["context"] if is_shown else "",
        recommendation_position=step["position"] if is_shown else None,
        recommendation_request_id=step["request"] if is_shown else None,
        search_query=step["query"] if is_search else "",
        extra_data={key: value for key, value in extra.items() if value is not None},
    )  # fmt: skip
    (recorded,) = record_interactions([event])
    if step["delay"] is not None:
        Interaction.objects.filter(pk=recorded.id).update(received_at=at + timedelta(seconds=step["delay"]))
