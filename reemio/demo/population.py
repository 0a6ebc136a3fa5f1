"""The made-up life of the demo shop: who looked at, searched for, carried and bought what in the last weeks.

Everything is drawn from `random.Random` with the caller's seed, and what is drawn does not depend on `now`; so
the same seed gives the same events under the same ids, only dated later, and seeding twice stores nothing twice.

- `persona_events`: the ten named shoppers, exactly as the product brief's table has them
- `background_events`: a population with tastes, for the engine to learn from
- `inbox_events`: what a shop that shares the database would have put into `public.events`
- `served_lists`: the recommendation lists that the impressions and clicks of all three refer to
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, chain, count, pairwise
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from reemio.demo.catalogue import DemoProduct, load_products
from reemio.demo.complements import LASTING, PAIRS, RESTOCK_DAYS, SHELVES
from reemio.demo.personas import SHOPPERS, DemoShopper, Persona
from reemio.demo.visits import Diary, Event, ServedList, Visit

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

NAIROBI = ZoneInfo("Africa/Nairobi")
# The brief's weights; a search has none.
WEIGHTS = {
    "purchase": 5.0,
    "cart_add": 3.0,
    "wishlist_add": 2.0,
    "recommendation_click": 1.5,
    "view": 1.0,
    "recommendation_view": 0.5,
    "cart_remove": -1.0,
}
_HOURS = range(6, 24)
_HOUR_WEIGHTS = (2, 4, 5, 5, 5, 6, 9, 8, 5, 5, 5, 6, 8, 11, 13, 12, 8, 3)
_WEEKDAY_WEIGHTS = (0.9, 0.85, 0.9, 1.0, 1.15, 1.4, 1.3)  # Monday first
_SOUGHT_IN_VAIN = ("violin", "snow chains", "gift card", "air fryer", "trampoline", "hearing aid batteries")


class InboxRow(NamedTuple):
    """A row of `public.events`; the payload is ready for JSON."""

    event_type: str
    payload: dict[str, Any]
    created_at: datetime


def persona_events(products: Sequence[DemoProduct], *, now: datetime, seed: int) -> Iterator[Event]:
    """The histories of the ten named shoppers, one shopper after the other, each in order of time."""
    for diary in _persona_diaries(products, now, seed):
        yield from diary.by_time()


def background_events(
    products: Sequence[DemoProduct], *, now: datetime, days: int = 90, shoppers: int = 600, seed: int
) -> Iterator[Event]:
    """What `shoppers` known people and some strangers did in the last `days`, in order of time."""
    yield from _background_diary(products, now, days, shoppers, seed).by_time()


def inbox_events(
    products: Sequence[DemoProduct], *, now: datetime, shoppers: int = 600, rows: int = 96, seed: int
) -> Iterator[InboxRow]:
    """Rows for `public.events` from the last day, by background shoppers and strangers only."""
    for event in _inbox_diary(products, now, shoppers, rows, seed).by_time():
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
        _persona_diaries(products, now, seed),
        [
            _background_diary(products, now, days, shoppers, seed),
            _inbox_diary(products, now, shoppers, rows, seed),
        ],
    )
    return chain.from_iterable(diary.lists for diary in diaries)


def _for_json(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | dict) else str(value)


# --- the shop, as its visitors find it ----------------------------------------------------------------------


class _Shop:
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


@lru_cache(maxsize=4)
def _shop(products: tuple[DemoProduct, ...], seed: int) -> _Shop:
    return _Shop(products, seed)


def _time_of_day(random: Random) -> time:
    hour = random.choices(_HOURS, _HOUR_WEIGHTS)[0]
    return time(hour, random.randrange(60), random.randrange(60), random.randrange(1_000_000))


def _on_day(now: datetime, days_ago: int, random: Random) -> datetime:
    """Some hour of the day that was so many days ago in Nairobi; a day earlier where that is not over yet."""
    day = now.astimezone(NAIROBI).date() - timedelta(days=days_ago)
    start = datetime.combine(day, _time_of_day(random), NAIROBI)
    if start > now - timedelta(minutes=40):
        start -= timedelta(days=1)
    return start


def _in_week(now: datetime, weeks_ago: int, days: int, random: Random) -> datetime:
    """Some hour in the seven days that ended so many weeks ago, most likely at the weekend."""
    weekday = random.choices(range(7), _WEEKDAY_WEIGHTS)[0]
    days_ago = weeks_ago * 7 + (now.astimezone(NAIROBI).weekday() - weekday) % 7
    return _on_day(now, days_ago if days_ago < days - 1 else max(0, days_ago - 7), random)


def _some(
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


# --- the ten named shoppers ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Habits:
    """How a persona shops: products a visit, and the chances of each action."""

    products: tuple[int, int]
    search: float = 0.0
    is_shown: float = 0.0
    click: float = 0.0
    wish: float = 0.0
    cart: float = 0.0
    remove: float = 0.0
    buy: float = 0.0


_HABITS: dict[Persona, _Habits] = {
    "Power Shopper": _Habits((2, 4), search=0.08, is_shown=0.35, click=0.7, wish=0.05, cart=0.6, buy=0.85),
    "Browser": _Habits((4, 9), search=0.05, is_shown=0.2, click=0.2, wish=0.04, cart=0.03, buy=0.2),
    "Cart Abandoner": _Habits((1, 3), search=0.05, is_shown=0.1, click=0.3, cart=0.75, remove=0.15, buy=0.05),
    "Search Heavy": _Habits((2, 4), search=0.85, is_shown=0.1, click=0.3, wish=0.06, cart=0.12, buy=0.4),
    "Reco Responder": _Habits((1, 2), search=0.05, is_shown=0.9, click=0.8, wish=0.05, cart=0.3, buy=0.5),
    "Light User": _Habits((1, 3), search=0.06, is_shown=0.1, click=0.2, wish=0.04, cart=0.08, buy=0.3),
}
_GOLDEN = 0.6180339887
_FIRST_VISIT, _LAST_VISIT = 59, 3  # days ago
_CLEAR_LEAD = 1.15
_ATTEMPTS = 20_000
_SOME_NOON = datetime(2025, 6, 1, 12, tzinfo=NAIROBI)


def _persona_diaries(products: Sequence[DemoProduct], now: datetime, seed: int) -> Iterator[Diary]:
    shop = _shop(tuple(products), seed)
    for shopper in SHOPPERS:
        yield _persona_diary(shop, shopper, now, seed)


def _persona_diary(shop: _Shop, shopper: DemoShopper, now: datetime, seed: int) -> Diary:
    return _history(shop, shopper, now, seed, _fitting_attempt(shop, shopper, seed))


@lru_cache(maxsize=64)
def _fitting_attempt(shop: _Shop, shopper: DemoShopper, seed: int) -> int:
    """Draws histories until one is just what the brief says of this shopper.

    They are judged as of one fixed noon: which of them is taken must not depend on the hour of the seeding.
    """
    for attempt in range(_ATTEMPTS):
        trial = _history(shop, shopper, _SOME_NOON, seed, attempt)
        if _is_as_described(shop, shopper, trial.events, _SOME_NOON):
            return attempt
    raise RuntimeError(f"No history of {shopper.name} came out as the brief describes it; are products missing?")


def _history(shop: _Shop, shopper: DemoShopper, now: datetime, seed: int, attempt: int) -> Diary:
    random = Random(f"{seed}:{shopper.user_id}:{attempt}")
    diary = Diary(f"demo-{seed}-{shopper.user_id}", random, limit=shopper.interactions)
    _live(shop, shopper, diary, now)
    return diary


def _live(shop: _Shop, shopper: DemoShopper, diary: Diary, now: datetime) -> None:
    random = diary.random
    affordable = {
        department: [one for one in shelf if shopper.price_min <= one.price <= shopper.price_max]
        for department, shelf in shop.by_department.items()
    }
    favourites = {department: _favourite_shelves(random, shelf) for department, shelf in affordable.items() if shelf}
    unseen = _cheapest_and_dearest(shopper, affordable)
    elsewhere = sorted(set(favourites) - set(shopper.top_categories))
    if shopper.persona == "Cart Abandoner":
        _leave_a_cart(favourites[shopper.top_categories[0]], Visit(diary, shopper.user_id, now), now)
    phase = random.random()
    for number in count():
        share = (phase + number * _GOLDEN) % 1
        days_ago = _LAST_VISIT + int((_FIRST_VISIT - _LAST_VISIT) * share)
        department = random.choices((*shopper.top_categories, random.choice(elsewhere)), (43, 28, 18, 11))[0]
        visit = Visit(diary, shopper.user_id, _on_day(now, days_ago, random))
        wanted = [one for one in unseen if one.department == department][:1]
        unseen = [one for one in unseen if one not in wanted]
        _stroll(shop, visit, _HABITS[shopper.persona], wanted, favourites[department], affordable[department])
        if diary.is_full:
            return


def _favourite_shelves(random: Random, products: Sequence[DemoProduct]) -> list[DemoProduct]:
    shelves = sorted({product.category for product in products})
    chosen = set(random.sample(shelves, min(3, len(shelves))))
    return [product for product in products if product.category in chosen]


def _cheapest_and_dearest(shopper: DemoShopper, affordable: dict[str, list[DemoProduct]]) -> list[DemoProduct]:
    """The two ends of the shopper's price range, from their own top categories where these have them."""
    ends = []
    for price in (shopper.price_min, shopper.price_max):
        for department in chain(shopper.top_categories, sorted(affordable)):
            found = next((one for one in affordable.get(department, ()) if one.price == price), None)
            if found is not None:
                ends.append(found)
                break
    return ends


def _leave_a_cart(products: Sequence[DemoProduct], visit: Visit, now: datetime) -> None:
    """Two products into the cart, the second about three hours ago, and then nothing more."""
    visit.start = now - timedelta(hours=3, minutes=6)
    for product in _some(visit.random, products, 2):
        visit.view(product)
        visit.put_into_cart(product)


def _stroll(
    shop: _Shop,
    visit: Visit,
    habits: _Habits,
    wanted: Sequence[DemoProduct],
    favourites: Sequence[DemoProduct],
    department: Sequence[DemoProduct],
) -> None:
    """One visit of a named shopper to one department."""
    random = visit.random
    picks = [*wanted, *random.sample(favourites, min(random.randint(*habits.products), len(favourites)))]
    for number, product in enumerate(picks):
        if random.random() < habits.search:
            shop.search(visit, product, with_filters=True)
            if random.random() < 0.2 * habits.search:
                shop.search(visit, product, with_filters=True)
        elif product.is_sellable and random.random() < habits.is_shown:
            _meet_in_list(visit, habits, product, department, None if number == 0 else picks[number - 1])
        visit.view(product)
        if random.random() < habits.wish:
            visit.wish(product)
        if random.random() < habits.cart:
            visit.put_into_cart(product)
    for product, _ in list(visit.cart.values()):
        if random.random() < habits.remove:
            visit.take_out(product)
    if random.random() < habits.buy:
        visit.buy()


def _meet_in_list(
    visit: Visit,
    habits: _Habits,
    product: DemoProduct,
    department: Sequence[DemoProduct],
    before: DemoProduct | None,
) -> None:
    """The product is among the first of a recommendation list: on the homepage, or beside the product before."""
    random = visit.random
    barred = {product.product_id} | ({before.product_id} if before else set())
    shown = _some(random, department, 7 if before else 11, without=barred)
    place = random.choices((0, 1, 2), (5, 3, 2))[0]
    shown.insert(place, product)
    seen = max(place + 1, random.randint(1, 3))
    if before:
        served = visit.be_shown("product_page", "similar", shown, seen=seen, anchor=before)
    else:
        served = visit.be_shown("homepage", "personalized", shown, seen=seen)
    if random.random() < habits.click:
        visit.click(served, product)


def _is_as_described(shop: _Shop, shopper: DemoShopper, events: Sequence[Event], now: datetime) -> bool:
    """The brief's line on this shopper, word for word: number, price range, top categories, and behaviour."""
    met = [(event, shop.by_id[event["product_id"]]) for event in events if event["product_id"]]
    prices = [product.price for _, product in met]
    number: Counter[str] = Counter(product.department for _, product in met)
    interest: dict[str, float] = defaultdict(float)
    for event, product in met:
        days = (now - event["occurred_at"]) / timedelta(days=1)
        interest[product.department] += WEIGHTS[event["interaction_type"]] * math.exp(-days / 30)
    return (
        len(events) == shopper.interactions
        and len(number) > len(shopper.top_categories)
        and (min(prices), max(prices)) == (shopper.price_min, shopper.price_max)
        and _leads_clearly(shopper, number, 1.01)
        and _leads_clearly(shopper, interest, _CLEAR_LEAD)
        and _behaves(shopper.persona, Counter(event["interaction_type"] for event in events))
    )


def _leads_clearly(shopper: DemoShopper, strength: Counter[str] | dict[str, float], lead: float) -> bool:
    ranking = sorted(strength.items(), key=lambda item: -item[1])
    names = tuple(name for name, _ in ranking[:3])
    return names == shopper.top_categories and all(
        stronger >= lead * weaker for (_, stronger), (_, weaker) in pairwise(ranking[:4])
    )


def _behaves(persona: Persona, kinds: Counter[str]) -> bool:
    total = kinds.total()
    match persona:
        case "Power Shopper":
            return kinds["purchase"] >= 0.18 * total and kinds["recommendation_click"] >= 5
        case "Browser":
            return kinds["view"] >= 0.7 * total and kinds["cart_add"] <= 4
        case "Cart Abandoner":
            return kinds["cart_add"] >= 0.3 * total and kinds["purchase"] <= 1
        case "Search Heavy":
            return kinds["search"] >= 0.33 * total
        case "Reco Responder":
            return kinds["recommendation_click"] >= 0.15 * total
        case "Light User":
            return kinds["view"] >= 0.5 * total and kinds["purchase"] <= 3


# --- everybody else -----------------------------------------------------------------------------------------


class _Taste:
    """What one person likes: two or three departments, some shelves there, a price band, a brand or two."""

    def __init__(self, shop: _Shop, random: Random) -> None:
        departments = random.sample(sorted(shop.shelves), min(random.choice((2, 2, 3)), len(shop.shelves)))
        band = random.choices((0.15, 0.5, 0.85), (35, 45, 20))[0]
        self.products: list[DemoProduct] = []
        weights: list[float] = []
        for strength, department in zip((1.0, 0.6, 0.35), departments, strict=False):
            shelves = shop.shelves[department]
            brand = random.choice(shop.by_department[department]).brand
            for liking, shelf in zip((1.0, 0.7, 0.45), random.sample(shelves, min(3, len(shelves))), strict=False):
                for product in shop.by_shelf[shelf]:
                    distance = shop.price_rank[product.product_id] - band
                    loyalty = 1.8 if product.brand == brand else 1.0
                    closeness = math.exp(-2.5 * distance * distance)
                    weights.append(strength * liking * loyalty * closeness * shop.fame[product.product_id])
                    self.products.append(product)
        self.cumulative = list(accumulate(weights))
        hot = (
            weight * (8 if product.product_id in shop.trending else 1)
            for product, weight in zip(self.products, weights, strict=True)
        )
        self.cumulative_this_week = list(accumulate(hot))

    def pick(self, random: Random, this_week: bool) -> DemoProduct:
        weights = self.cumulative_this_week if this_week else self.cumulative
        return random.choices(self.products, cum_weights=weights)[0]


class _Stroller:
    """A background shopper in the middle of a visit."""

    def __init__(self, shop: _Shop, taste: _Taste, visit: Visit, owned: set[str], this_week: bool) -> None:
        self.shop = shop
        self.taste = taste
        self.visit = visit
        self.owned = owned
        self.this_week = this_week
        self.random = visit.random

    def _fancy(self) -> DemoProduct:
        if self.random.random() < 0.07:
            return self.random.choice(self.shop.products)
        return self.taste.pick(self.random, self.this_week)

    def _next_after(self, product: DemoProduct) -> DemoProduct:
        """Often something similar, sometimes what goes with it, else a new thought."""
        chance = self.random.random()
        if chance < 0.3:
            return self.random.choice(self.shop.by_shelf[product.category])
        if chance < 0.42:
            return self._companion(product) or self._fancy()
        return self._fancy()

    def _companion(self, product: DemoProduct) -> DemoProduct | None:
        shelves = [shelf for shelf in SHELVES.get(product.category, ()) if shelf in self.shop.by_shelf]
        if not shelves:
            return None
        shelf = self.shop.by_shelf[self.random.choice(shelves)]
        fame = [self.shop.fame[one.product_id] for one in shelf]
        found = self.random.choices(shelf, fame)[0]
        return None if found is product else found

    def walk(self) -> None:
        random, visit = self.random, self.visit
        product = self._fancy()
        chance = random.random()
        if chance < 0.15:
            product = self._see_homepage() or product
        elif chance < 0.38:
            self._search(product)
        for _ in range(min(9, 1 + int(random.expovariate(0.42)))):
            visit.view(product)
            if random.random() < 0.045:
                visit.wish(product)
            if random.random() < 0.22:
                self._add(product)
            following = self._see_similar(product) if random.random() < 0.07 else None
            product = following or self._next_after(product)
        self._check_out()

    def _search(self, product: DemoProduct) -> None:
        if self.random.random() < 0.03:
            self.visit.search(self.random.choice(_SOUGHT_IN_VAIN), 0, None)
        self.shop.search(self.visit, product, with_filters=self.random.random() < 0.4)

    def _add(self, product: DemoProduct) -> None:
        quantity = self.random.choices((1, 2, 3), (80, 15, 5) if product.price < 30 else (97, 3, 0))[0]
        self.visit.put_into_cart(product, quantity)
        for partner, likelihood in self.shop.partners[product.product_id]:
            if self.random.random() < likelihood:
                self._add_companion(partner)
        if self.random.random() < 0.25:
            companion = self._companion(product)
            if companion is not None:
                self._add_companion(companion)

    def _add_companion(self, product: DemoProduct) -> None:
        if self.random.random() < 0.6:
            self.visit.view(product)
        if product.is_sellable:
            self.visit.put_into_cart(product)

    def _check_out(self) -> None:
        random, visit = self.random, self.visit
        if visit.cart and random.random() < 0.12:
            last = next(reversed(visit.cart.values()))[0]
            visit.take_out(last)
        if visit.cart and random.random() < 0.3:
            self._see_cart_list()
        if random.random() < 0.7:
            self.owned.update(visit.cart)
            visit.buy()

    def _look_over(self, served: ServedList, shown: Sequence[DemoProduct], eagerness: float) -> DemoProduct | None:
        """What lies further down is clicked less."""
        for position, product in enumerate(shown, start=1):
            if self.random.random() < eagerness / (1 + 0.6 * (position - 1)):
                self.visit.click(served, product)
                return product
        return None

    def _see_homepage(self) -> DemoProduct | None:
        liked = {self.taste.pick(self.random, self.this_week).product_id for _ in range(14)}
        products = [self.shop.by_id[product_id] for product_id in sorted(liked)]
        shown = _some(self.random, products, 12, without=self.owned)
        shown += _some(self.random, self.shop.products, 12 - len(shown), without=self.owned | liked)
        strategy = "personalized" if self.visit.user_id else self.random.choice(("session", "popular"))
        seen = self.random.randint(3, 8)
        served = self.visit.be_shown("homepage", strategy, shown, seen=seen)
        return self._look_over(served, shown[:seen], 0.15)

    def _see_similar(self, product: DemoProduct) -> DemoProduct | None:
        barred = self.owned | {product.product_id}
        partners = [partner for partner, _ in self.shop.partners[product.product_id]]
        if partners and self.random.random() < 0.5:
            shown, strategy = _some(self.random, partners, 4, without=barred), "bought_together"
            barred |= {one.product_id for one in shown}
            shown += _some(self.random, self.shop.by_shelf[product.category], 4 - len(shown), without=barred)
        else:
            shown, strategy = _some(self.random, self.shop.by_shelf[product.category], 8, without=barred), "similar"
        if not shown:
            return None
        seen = self.random.randint(2, len(shown)) if len(shown) > 2 else len(shown)
        served = self.visit.be_shown("product_page", strategy, shown, seen=seen, anchor=product)
        return self._look_over(served, shown[:seen], 0.13)

    def _see_cart_list(self) -> None:
        carried = [product for product, _ in self.visit.cart.values()]
        barred = self.owned | set(self.visit.cart)
        fitting = [partner for product in carried for partner, _ in self.shop.partners[product.product_id]]
        fitting += [
            one
            for product in carried
            for shelf in SHELVES.get(product.category, ())
            for one in self.shop.by_shelf.get(shelf, ())
        ]
        unique = list({product.product_id: product for product in fitting}.values())
        shown = _some(self.random, unique, 8, without=barred)
        barred |= {product.product_id for product in shown}
        shown += _some(self.random, self.shop.products, 8 - len(shown), without=barred)
        seen = self.random.randint(2, 5)
        served = self.visit.be_shown("cart", "cart", shown, seen=seen)
        clicked = self._look_over(served, shown[:seen], 0.12)
        if clicked is not None:
            self.visit.view(clicked)
            if self.random.random() < 0.5:
                self.visit.put_into_cart(clicked)


def _background_diary(products: Sequence[DemoProduct], now: datetime, days: int, shoppers: int, seed: int) -> Diary:
    shop = _shop(tuple(products), seed)
    diary = Diary(f"demo-{seed}-bg", Random(f"{seed}:background"))
    random = diary.random
    weeks = max(1, math.ceil(days / 7))
    for number in range(1, shoppers + 1):
        user_id = f"shopper-{number:04d}"
        taste = _Taste(shop, random)
        owned: set[str] = set()
        for _ in range(max(2, min(24, round(random.lognormvariate(2.0, 0.6))))):
            weeks_ago = random.randrange(weeks)
            visit = Visit(diary, user_id, _in_week(now, weeks_ago, days, random))
            _Stroller(shop, taste, visit, owned, weeks_ago == 0).walk()
        _restock(shop, taste, diary, user_id, now, days)
    for _ in range(2 * shoppers):
        weeks_ago = random.randrange(weeks)
        visit = Visit(diary, None, _in_week(now, weeks_ago, days, random))
        _Stroller(shop, _Taste(shop, random), visit, set(), weeks_ago == 0).walk()
    return diary


def _restock(shop: _Shop, taste: _Taste, diary: Diary, user_id: str, now: datetime, days: int) -> None:
    """Coffee, kibble and soap run out: the same few products again, at nearly regular intervals."""
    random = diary.random
    staples = [
        product
        for product in taste.products
        if product.category in RESTOCK_DAYS and product.is_sellable and product.product_id not in LASTING
    ]
    if not staples or random.random() < 0.35:
        return
    fame = [shop.fame[product.product_id] for product in staples]
    basket = [random.choices(staples, fame)[0]]
    neighbours = _some(random, shop.by_shelf[basket[0].category], 2, without=[basket[0].product_id, *LASTING])
    basket += [product for product in neighbours if random.random() < 0.4]
    basket += [
        partner
        for partner, likelihood in shop.partners[basket[0].product_id]
        if random.random() < likelihood and partner not in basket
    ]
    interval = RESTOCK_DAYS[basket[0].category] * random.uniform(0.8, 1.25)
    days_ago = days - 1 - random.uniform(0, interval)
    while days_ago >= 0:
        visit = Visit(diary, user_id, _on_day(now, int(days_ago), random))
        for product in basket:
            if random.random() < 0.3:
                visit.view(product)
            if random.random() < 0.93:
                visit.put_into_cart(product)
        visit.buy()
        days_ago -= max(1.0, random.gauss(interval, interval * 0.08))


def _inbox_diary(products: Sequence[DemoProduct], now: datetime, shoppers: int, rows: int, seed: int) -> Diary:
    shop = _shop(tuple(products), seed)
    diary = Diary(f"demo-{seed}-inbox", Random(f"{seed}:inbox"), limit=rows)
    random = diary.random
    while not diary.is_full:
        user_id = f"shopper-{random.randint(1, shoppers):04d}" if random.random() < 0.7 else None
        start = now - timedelta(minutes=random.uniform(45, 20 * 60))
        _Stroller(shop, _Taste(shop, random), Visit(diary, user_id, start), set(), this_week=True).walk()
    return diary
