"""One visit to the demo shop, written down: each action becomes an event as `POST /interactions` has it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, Literal, NamedTuple, TypedDict
from uuid import UUID

from reemio.demo.catalogue import DemoProduct

Context = Literal["homepage", "product_page", "cart", "email"]
ShownContext = Literal["homepage", "product_page", "cart"]
Device = Literal["desktop", "mobile", "tablet"]

_LONGEST_SESSION = 1800


class Event(TypedDict):
    """One interaction, with every field of `POST /interactions`; None where it does not apply."""

    interaction_type: str
    user_id: str | None
    session_id: str
    product_id: str | None
    event_id: str
    occurred_at: datetime
    quantity: int | None
    unit_price: Decimal | None
    currency: str | None
    order_id: str | None
    recommendation_context: Context | None
    recommendation_position: int | None
    recommendation_request_id: UUID | None
    search_query: str | None
    extra_data: dict[str, Any]


class ServedList(NamedTuple):
    """A recommendation list that was served: to whom, when, where, and its products from position 1 on."""

    request_id: UUID
    context: ShownContext
    strategy: str
    user_id: str | None
    session_id: str
    served_at: datetime
    product_ids: tuple[str, ...]
    anchor_id: str | None


@dataclass
class Diary:
    """Collects events and lists under ids that depend on the prefix and the order of writing alone."""

    prefix: str
    random: Random
    limit: int | None = None
    events: list[Event] = field(default_factory=list)
    lists: list[ServedList] = field(default_factory=list)
    sessions: int = 0
    orders: int = 0

    @property
    def is_full(self) -> bool:
        return self.limit is not None and len(self.events) >= self.limit

    def next_session_id(self) -> str:
        self.sessions += 1
        return f"{self.prefix}-s{self.sessions}"

    def next_order_id(self) -> str:
        self.orders += 1
        return f"{self.prefix}-o{self.orders}"

    def by_time(self) -> list[Event]:
        return sorted(self.events, key=lambda event: (event["occurred_at"], event["event_id"]))


class Source(NamedTuple):
    """The place in a list that a product was found at."""

    served: ServedList
    position: int


class Visit:
    """One session: a clock that moves on with every action, and a cart."""

    def __init__(self, diary: Diary, user_id: str | None, start: datetime) -> None:
        self.diary = diary
        self.random = diary.random
        self.user_id = user_id
        self.session_id = diary.next_session_id()
        self.device: Device = self.random.choices(("mobile", "desktop", "tablet"), (56, 36, 8))[0]
        self.start = start
        self.elapsed = 0
        self.cart: dict[str, tuple[DemoProduct, int]] = {}
        self.sources: dict[str, Source] = {}

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    def _note(
        self,
        kind: str,
        product: DemoProduct | None = None,
        *,
        seconds: int,
        quantity: int | None = None,
        order_id: str | None = None,
        source: Source | None = None,
        query: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        if self.diary.is_full:
            return
        seconds = max(5, min(300, seconds))
        happened = self.now
        self.elapsed = min(_LONGEST_SESSION - 1, self.elapsed + seconds)
        bought = product is not None and quantity is not None
        self.diary.events.append(
            Event(
                interaction_type=kind,
                user_id=self.user_id,
                session_id=self.session_id,
                product_id=product.product_id if product else None,
                event_id=f"{self.diary.prefix}-{len(self.diary.events) + 1}",
                occurred_at=happened,
                quantity=quantity,
                unit_price=product.price if product and bought else None,
                currency=product.currency if product and bought else None,
                order_id=order_id,
                recommendation_context=source.served.context if source else None,
                recommendation_position=source.position if source else None,
                recommendation_request_id=source.served.request_id if source else None,
                search_query=query,
                extra_data={
                    "timeOnPageSeconds": seconds,
                    "sessionDurationSeconds": max(60, self.elapsed),
                    "scrollDepthPercent": self._scroll_depth(seconds),
                    "device": self.device,
                    "sessionId": self.session_id,
                    **(extra or {}),
                },
            )
        )

    def _scroll_depth(self, seconds: int) -> int:
        """Who stays longer has scrolled further, more or less."""
        return max(10, min(100, int(100 * (1 - math.exp(-seconds / 45)) + self.random.randint(-15, 15))))

    def _dwell(self, middle: float) -> int:
        return round(self.random.lognormvariate(math.log(middle), 0.6))

    def view(self, product: DemoProduct) -> None:
        self._note("view", product, seconds=self._dwell(38), source=self.sources.get(product.product_id))

    def search(self, query: str, results: int, filters: dict[str, Any] | None) -> None:
        extra: dict[str, Any] = {"resultsCount": results}
        if filters:
            extra["filters"] = filters
        self._note("search", seconds=self._dwell(18), query=query, extra=extra)

    def wish(self, product: DemoProduct) -> None:
        self._note("wishlist_add", product, seconds=self._dwell(9))

    def put_into_cart(self, product: DemoProduct, quantity: int = 1) -> None:
        """Sold-out products go on the wish list instead."""
        if not product.is_sellable:
            self.wish(product)
            return
        source = self.sources.get(product.product_id)
        self._note("cart_add", product, seconds=self._dwell(12), quantity=quantity, source=source)
        self.cart[product.product_id] = (product, quantity)

    def take_out(self, product: DemoProduct) -> None:
        if product.product_id in self.cart:
            quantity = self.cart.pop(product.product_id)[1]
            self._note("cart_remove", product, seconds=self._dwell(8), quantity=quantity)

    def buy(self) -> None:
        """Buys the cart in one order, at one moment."""
        if not self.cart:
            return
        order_id = self.diary.next_order_id()
        self.elapsed = min(_LONGEST_SESSION - 1, self.elapsed + self._dwell(70))
        for product, quantity in self.cart.values():
            source = self.sources.get(product.product_id)
            self._note("purchase", product, seconds=5, quantity=quantity, order_id=order_id, source=source)
        self.cart.clear()

    def be_shown(
        self,
        context: ShownContext,
        strategy: str,
        products: Sequence[DemoProduct],
        *,
        seen: int,
        anchor: DemoProduct | None = None,
    ) -> ServedList:
        """A list comes with the page; its first products scroll into sight."""
        served = ServedList(
            request_id=UUID(int=self.random.getrandbits(128), version=4),
            context=context,
            strategy=strategy,
            user_id=self.user_id,
            session_id=self.session_id,
            served_at=self.now,
            product_ids=tuple(product.product_id for product in products),
            anchor_id=anchor.product_id if anchor else None,
        )
        self.diary.lists.append(served)
        for position, product in enumerate(products[:seen], start=1):
            self._note("recommendation_view", product, seconds=5, source=Source(served, position))
        return served

    def click(self, served: ServedList, product: DemoProduct) -> None:
        position = served.product_ids.index(product.product_id) + 1
        source = Source(served, position)
        self.sources[product.product_id] = source
        self._note("recommendation_click", product, seconds=self._dwell(10), source=source)
