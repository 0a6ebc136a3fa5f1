"""The made-up life of the demo shop: who looked at, searched for, carried and bought what in the last weeks.

Everything is drawn from `random.Random` with the caller's seed, and what is drawn does not depend on `now`; so
the same seed gives the same events under the same ids, only dated later, and seeding twice stores nothing twice.

- `persona_events`: the ten named shoppers, exactly as the product brief's table has them
- `background_events`: a population with tastes, for the engine to learn from
- `inbox_events`: what a shop that shares the database would have put into `public.events`
- `served_lists`: the recommendation lists that the impressions and clicks of all three refer to
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple

from reemio.demo.catalogue import DemoProduct, load_products
from reemio.demo.crowd import background_diary, inbox_diary
from reemio.demo.regulars import persona_diaries
from reemio.demo.visits import Event, ServedList

__all__ = [
    "DemoProduct",
    "Event",
    "InboxRow",
    "ServedList",
    "background_events",
    "inbox_events",
    "load_products",
    "persona_events",
    "served_lists",
]


class InboxRow(NamedTuple):
    """A row of `public.events`; the payload is ready for JSON."""

    event_type: str
    payload: dict[str, Any]
    created_at: datetime


def persona_events(products: Sequence[DemoProduct], *, now: datetime, seed: int) -> Iterator[Event]:
    """The histories of the ten named shoppers, one shopper after the other, each in order of time."""
    for diary in persona_diaries(products, now, seed):
        yield from diary.by_time()


def background_events(
    products: Sequence[DemoProduct], *, now: datetime, days: int = 90, shoppers: int = 600, seed: int
) -> Iterator[Event]:
    """What `shoppers` known people and some strangers did in the last `days`, in order of time."""
    yield from background_diary(products, now, days, shoppers, seed).by_time()


def inbox_events(
    products: Sequence[DemoProduct], *, now: datetime, shoppers: int = 600, rows: int = 96, seed: int
) -> Iterator[InboxRow]:
    """Rows for `public.events` from the last day, by background shoppers and strangers only."""
    for event in inbox_diary(products, now, shoppers, rows, seed).by_time():
        payload = {key: _for_json(value) for key, value in event.items() if value is not None}
        payload.pop("interaction_type")
        yield InboxRow(event["interaction_type"], payload, event["occurred_at"] + timedelta(seconds=2))


def served_lists(
    products: Sequence[DemoProduct],
    *,
    now: datetime,
    days: int = 90,
    shoppers: int = 600,
    rows: int = 96,
    seed: int,
) -> Iterator[ServedList]:
    """Every list that an event of the other generators, called with the same arguments, refers to."""
    diaries = chain(
        persona_diaries(products, now, seed),
        [
            background_diary(products, now, days, shoppers, seed),
            inbox_diary(products, now, shoppers, rows, seed),
        ],
    )
    return chain.from_iterable(diary.lists for diary in diaries)


def _for_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | dict) else str(value)
