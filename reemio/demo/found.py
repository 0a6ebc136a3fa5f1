"""What the crowd was served when it searched, and what it clicked there: made up from its events, the same for a seed.

A search that is followed by a product's page in the same visit had that product among its results, at a place that the
event's id decides; half of them were clicked in the list. The ten named shoppers are left alone: their events are
counted exactly.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from uuid import UUID

from reemio.demo.catalogue import DemoProduct
from reemio.demo.visits import Event

RESULTS = 12
LONGEST_QUERY = 128


@dataclass(frozen=True, slots=True)
class FoundList:
    """Search results as they were served, and the click in them, if there was one."""

    request_id: UUID
    query: str
    search: Event
    product_ids: tuple[str, ...]
    click: Event | None


def found_lists(events: Sequence[Event], products: Iterable[DemoProduct]) -> list[FoundList]:
    """Return the results of every search of `events`; `events` are in order of time."""
    by_shelf: dict[str, list[str]] = defaultdict(list)
    shelf_of: dict[str, str] = {}
    for product in products:
        if product.is_sellable:
            by_shelf[product.category].append(product.product_id)
            shelf_of[product.product_id] = product.category
    visits: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        visits[event["session_id"]].append(event)
    return [
        _found(event, following, by_shelf, shelf_of)
        for visit in visits.values()
        for event, following in zip(visit, [*visit[1:], None], strict=True)
        if event["interaction_type"] == "search"
    ]


def _found(
    search: Event, following: Event | None, by_shelf: dict[str, list[str]], shelf_of: dict[str, str]
) -> FoundList:
    random = Random(search["event_id"])  # noqa: S311  made-up shoppers need no cryptography
    request_id = UUID(int=random.getrandbits(128), version=4)
    query = (search["search_query"] or "")[:LONGEST_QUERY]
    viewed = following["product_id"] if following and following["interaction_type"] == "view" else None
    if viewed is None or viewed not in shelf_of or search["extra_data"].get("resultsCount") == 0:
        return FoundList(request_id, query, search, (), None)
    shelf = by_shelf[shelf_of[viewed]]
    others = [one for one in random.sample(shelf, min(len(shelf), RESULTS)) if one != viewed][: RESULTS - 1]
    place = min(int(random.expovariate(0.5)), len(others))
    shown = (*others[:place], viewed, *others[place:])
    click = _click(search, request_id, viewed, place + 1) if random.random() < 0.5 else None
    return FoundList(request_id, query, search, shown, click)


def _click(search: Event, request_id: UUID, product_id: str, position: int) -> Event:
    return Event(
        interaction_type="recommendation_click",
        user_id=search["user_id"],
        session_id=search["session_id"],
        product_id=product_id,
        event_id=f"{search['event_id']}-click",
        occurred_at=search["occurred_at"] + timedelta(seconds=4),
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
