"""The made-up histories of the ten named shoppers, just as the product brief describes each."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain, count, pairwise
from random import Random

from reemio.demo.catalogue import DemoProduct
from reemio.demo.personas import SHOPPERS, DemoShopper, Persona
from reemio.demo.shopfloor import NAIROBI, Shop, on_day, shop_of, some
from reemio.demo.visits import Diary, Event, Visit

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


def persona_diaries(products: Sequence[DemoProduct], now: datetime, seed: int) -> Iterator[Diary]:
    """A diary for each named shopper, in the order of the brief."""
    shop = shop_of(tuple(products), seed)
    for shopper in SHOPPERS:
        yield _persona_diary(shop, shopper, now, seed)


def _persona_diary(shop: Shop, shopper: DemoShopper, now: datetime, seed: int) -> Diary:
    return _history(shop, shopper, now, seed, _fitting_attempt(shop, shopper, seed))


@lru_cache(maxsize=64)
def _fitting_attempt(shop: Shop, shopper: DemoShopper, seed: int) -> int:
    """Draws histories until one is just what the brief says of this shopper.

    They are judged as of one fixed noon: which of them is taken must not depend on the hour of the seeding.
    """
    for attempt in range(_ATTEMPTS):
        trial = _history(shop, shopper, _SOME_NOON, seed, attempt)
        if _is_as_described(shop, shopper, trial.events, _SOME_NOON):
            return attempt
    raise RuntimeError(f"No history of {shopper.name} came out as the brief describes it; are products missing?")


def _history(shop: Shop, shopper: DemoShopper, now: datetime, seed: int, attempt: int) -> Diary:
    random = Random(f"{seed}:{shopper.user_id}:{attempt}")
    diary = Diary(f"demo-{seed}-{shopper.user_id}", random, limit=shopper.interactions)
    _live(shop, shopper, diary, now)
    return diary


def _live(shop: Shop, shopper: DemoShopper, diary: Diary, now: datetime) -> None:
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
        visit = Visit(diary, shopper.user_id, on_day(now, days_ago, random))
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
    for product in some(visit.random, products, 2):
        visit.view(product)
        visit.put_into_cart(product)


def _stroll(
    shop: Shop,
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
    shown = some(random, department, 7 if before else 11, without=barred)
    place = random.choices((0, 1, 2), (5, 3, 2))[0]
    shown.insert(place, product)
    seen = max(place + 1, random.randint(1, 3))
    if before:
        served = visit.be_shown("product_page", "similar", shown, seen=seen, anchor=before)
    else:
        served = visit.be_shown("homepage", "personalized", shown, seen=seen)
    if random.random() < habits.click:
        visit.click(served, product)


def _is_as_described(shop: Shop, shopper: DemoShopper, events: Sequence[Event], now: datetime) -> bool:
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
