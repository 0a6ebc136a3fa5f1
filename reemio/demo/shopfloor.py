"""The demo shop as its made-up visitors find it: shelves, prices, what is famous, and the hours of the day."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from reemio.demo.catalogue import DemoProduct
from reemio.demo.complements import PAIRS
from reemio.demo.visits import Visit

NAIROBI = ZoneInfo("Africa/Nairobi")
_HOURS = range(6, 24)
_HOUR_WEIGHTS = (2, 4, 5, 5, 5, 6, 9, 8, 5, 5, 5, 6, 8, 11, 13, 12, 8, 3)
_WEEKDAY_WEIGHTS = (0.9, 0.85, 0.9, 1.0, 1.15, 1.4, 1.3)  # Monday first


class Shop:
    """The products in the groupings that visitors walk through; inactive products are nowhere."""

    def __init__(self, products: Sequence[DemoProduct], seed: int) -> None:
        self.products = [product for product in products if product.is_active]
        self.by_id = {product.product_id: product for product in self.products}
        self.by_shelf: dict[str, list[DemoProduct]] = defaultdict(list)
        self.by_department: dict[str, list[DemoProduct]] = defaultdict(list)
        for product in self.products:
            self.by_shelf[product.category].append(product)
            self.by_department[product.department].append(product)
        self.shelves = {
            department: sorted({product.category for product in stock})
            for department, stock in self.by_department.items()
        }
        self.price_rank: dict[str, float] = {}
        self.fame: dict[str, float] = {}
        random = Random(f"{seed}:fame")
        for shelf in self.by_shelf.values():
            for rank, product in enumerate(sorted(shelf, key=lambda one: (one.price, one.product_id))):
                self.price_rank[product.product_id] = rank / max(1, len(shelf) - 1)
            for rank, product in enumerate(random.sample(shelf, len(shelf))):
                self.fame[product.product_id] = (rank + 1) ** -0.9
        # What has companions of its own is what the shop is known for.
        for first in {first for first, _, _ in PAIRS} & set(self.fame):
            self.fame[first] *= 4
        sellable = [product for product in self.products if product.is_sellable]
        self.trending = frozenset(product.product_id for product in random.sample(sellable, min(14, len(sellable))))
        self.overlooked = frozenset(
            product.product_id for product in self.products if is_overlooked(product.product_id)
        )
        self.partners: dict[str, list[tuple[DemoProduct, float]]] = defaultdict(list)
        for first, second, percent in PAIRS:
            if first in self.by_id and second in self.by_id:
                self.partners[first].append((self.by_id[second], percent / 100))

    def search(self, visit: Visit, product: DemoProduct, *, with_filters: bool) -> None:
        """Somebody who has this product in mind types something."""
        random = visit.random
        leaf = product.category.rsplit(" > ", 1)[-1].split(" & ")[0].lower()
        words = product.title.split(",")[0].lower()
        query = random.choices(
            (leaf, words, f"{product.brand.lower()} {leaf}", " ".join(words.split()[:2])), (4, 3, 1, 3)
        )[0]
        department = self.by_department[product.department]
        filters: dict[str, Any] = {}
        results = sum(query.split()[0] in one.title.lower() for one in department)
        if with_filters:
            filters["category"] = product.department
            ceiling = int(product.price * random.choice((2, 3, 5))) // 5 * 5 + 5
            if random.random() < 0.7:
                filters["price_max"] = ceiling
                results = sum(one.price <= ceiling for one in department) // 3
            if random.random() < 0.3:
                filters["in_stock"] = True
            if random.random() < 0.15:
                filters["brand"] = product.brand
        visit.search(query, max(1, results), filters)


def is_overlooked(product_id: str) -> bool:
    """Tell whether a product never comes up in the crowd's lists: one of eight does not, as in any shop."""
    return blake2b(product_id.encode(), digest_size=1).digest()[0] % 8 == 0


@lru_cache(maxsize=4)
def shop_of(products: tuple[DemoProduct, ...], seed: int) -> Shop:
    """The shop that these products and this seed make; made once."""
    return Shop(products, seed)


def _time_of_day(random: Random) -> time:
    hour = random.choices(_HOURS, _HOUR_WEIGHTS)[0]
    return time(hour, random.randrange(60), random.randrange(60), random.randrange(1_000_000))


def on_day(now: datetime, days_ago: int, random: Random) -> datetime:
    """Some hour of the day that was so many days ago in Nairobi; a day or two earlier where that is not over yet."""
    day = now.astimezone(NAIROBI).date() - timedelta(days=days_ago)
    start = datetime.combine(day, _time_of_day(random), NAIROBI)
    while start > now - timedelta(minutes=40):
        start -= timedelta(days=1)
    return start


def in_week(now: datetime, weeks_ago: int, days: int, random: Random) -> datetime:
    """Some hour in the seven days that ended so many weeks ago, most likely at the weekend."""
    weekday = random.choices(range(7), _WEEKDAY_WEIGHTS)[0]
    days_ago = weeks_ago * 7 + (now.astimezone(NAIROBI).weekday() - weekday) % 7
    return on_day(now, days_ago if days_ago < days - 1 else max(0, days_ago - 7), random)


def some(
    random: Random, products: Sequence[DemoProduct], size: int, *, without: Iterable[str] = ()
) -> list[DemoProduct]:
    """Up to so many different products that may be shown in a list."""
    barred = set(without)
    chosen: list[DemoProduct] = []
    if size > 0:
        for product in random.sample(products, min(len(products), 2 * size + len(barred))):
            if product.is_sellable and product.product_id not in barred:
                chosen.append(product)
                if len(chosen) == size:
                    break
    return chosen
