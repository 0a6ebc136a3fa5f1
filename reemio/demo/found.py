"""What the crowd was served when it searched, saw of it, and clicked: made up from its events, the same for a seed.

A search that is followed by a product's page in the same visit had that product among its results, at a place that the
event's id decides; where it was in sight, some clicked it in the list. The ten named shoppers are left alone: their
events are counted exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Literal
from uuid import UUID

from reemio.demo.catalogue import DemoProduct
from reemio.demo.shopfloor import is_overlooked
from reemio.demo.visits import Event

RESULTS = 24
SEEN = (2, 7)  # so many of them scroll into sight
CLICKED = 0.3  # of the products that were looked at next, if they were in sight
AFTER = {"view": timedelta(seconds=2), "click": timedelta(seconds=4)}
LONGEST_QUERY = 128


@dataclass(frozen=True, slots=True)
class FoundList:
    """Search results as they were served, and what was told of them: what was seen, and the click, if there was one."""

    request_id: UUID
    query: str
    search: Event
    product_ids: tuple[str, ...]
    told: tuple[Event, ...] = ()


class _Shelves:
    """What comes up beside a product: its shelf first, then the rest of its department."""

    def __init__(self, products: Iterable[DemoProduct]) -> None:
        self.home: dict[str, tuple[str, str]] = {}
        self.shown: dict[str, list[str]] = defaultdict(list)
        for product in products:
            self.home[product.product_id] = (product.category, product.department)
            if product.is_sellable and not is_overlooked(product.product_id):
                for place in self.home[product.product_id]:
                    self.shown[place].append(product.product_id)

    def around(self, product_id: str, random: Random) -> list[str]:
        """Return up to `RESULTS` products that come up, this one perhaps among them."""
        shelf, department = (self.shown[place] for place in self.home[product_id])
        near = random.sample(shelf, min(len(shelf), RESULTS))
        return list(dict.fromkeys(near + random.sample(department, min(len(department), RESULTS))))[:RESULTS]

    def show(self, product_id: str) -> bool:
        return product_id in self.shown[self.home[product_id][0]]


def found_lists(events: Sequence[Event], products: Iterable[DemoProduct]) -> list[FoundList]:
    """Return the results of every search of `events`; `events` are in order of time."""
    shelves = _Shelves(products)
    visits: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        visits[event["session_id"]].append(event)
    return [
        _found(event, following, shelves)
        for visit in visits.values()
        for event, following in zip(visit, [*visit[1:], None], strict=True)
        if event["interaction_type"] == "search"
    ]


def _found(search: Event, following: Event | None, shelves: _Shelves) -> FoundList:
    random = Random(search["event_id"])  # noqa: S311  made-up shoppers need no cryptography
    request_id = UUID(int=random.getrandbits(128), version=4)
    query = (search["search_query"] or "")[:LONGEST_QUERY]
    viewed = following["product_id"] if following and following["interaction_type"] == "view" else None
    if viewed is None or search["extra_data"].get("resultsCount") == 0:
        return FoundList(request_id, query, search, ())
    shown = [one for one in shelves.around(viewed, random) if one != viewed]
    place = min(int(random.expovariate(0.5)), len(shown))
    if shelves.show(viewed):
        shown.insert(place, viewed)
    shown = shown[:RESULTS]
    seen = shown[: random.randint(*SEEN)]
    told = [_told("view", search, request_id, one, position) for position, one in enumerate(seen, start=1)]
    if viewed in seen and random.random() < CLICKED:
        told.append(_told("click", search, request_id, viewed, place + 1))
    return FoundList(request_id, query, search, tuple(shown), tuple(told))


def _told(kind: Literal["view", "click"], search: Event, request_id: UUID, product_id: str, position: int) -> Event:
    return Event(
        interaction_type=f"recommendation_{kind}",
        user_id=search["user_id"],
        session_id=search["session_id"],
        product_id=product_id,
        event_id=f"{search['event_id']}-{kind}-{position}",
        occurred_at=search["occurred_at"] + AFTER[kind],
        quantity=None,
        unit_price=None,
        currency=None,
        order_id=None,
        recommendation_context=None,
        recommendation_position=position,
        recommendation_request_id=request_id,
        search_query=None,
        extra_data={"device": search["extra_data"]["device"], "sessionId": search["session_id"]},
    )
