"""Everybody else in the demo shop: known people and strangers with tastes, who stroll, restock and buy."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from reemio.demo.catalogue import DemoProduct
from reemio.demo.complements import LASTING, RESTOCK_DAYS, SHELVES
from reemio.demo.shopfloor import Shop, in_week, on_day, shop_of, some
from reemio.demo.visits import Diary, ServedList, Visit

CARTED = 0.17  # of the products that are looked at
CARTED_FROM_LIST = 0.055  # of those that were met in a list, or in search results: most people just have a look
CARTED_BY_KEEN = 0.36  # of what those look at next who searched, or followed a list
GROWTH = 1.05  # visits from one week to the next
STRANGERS = 2  # visits of nobody known, for each shopper
_SOUGHT_IN_VAIN = ("violin", "snow chains", "gift card", "air fryer", "trampoline", "hearing aid batteries")


class _Taste:
    """What one person likes: two or three departments, some shelves there, a price band, a brand or two."""

    def __init__(self, shop: Shop, random: Random) -> None:
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
            weight * (14 if product.product_id in shop.trending else 1)
            for product, weight in zip(self.products, weights, strict=True)
        )
        self.cumulative_this_week = list(accumulate(hot))

    def pick(self, random: Random, this_week: bool) -> DemoProduct:
        weights = self.cumulative_this_week if this_week else self.cumulative
        return random.choices(self.products, cum_weights=weights)[0]


class _Stroller:
    """A background shopper in the middle of a visit."""

    def __init__(self, shop: Shop, taste: _Taste, visit: Visit, owned: set[str], this_week: bool) -> None:
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
        product, met = self._fancy(), None
        chance = random.random()
        if chance < 0.15:
            met = self._see_homepage()
        elif chance < 0.38:
            met = product
            self._search(product)
        product = met or product
        is_keen = met is not None
        for _ in range(min(9, 1 + is_keen + int(random.expovariate(0.5 if visit.user_id else 0.9)))):
            visit.view(product)
            if random.random() < 0.045:
                visit.wish(product)
            if random.random() < (CARTED_FROM_LIST if product is met else CARTED_BY_KEEN if is_keen else CARTED):
                self._add(product)
            met = self._see_similar(product) if random.random() < 0.07 else None
            is_keen = is_keen or met is not None
            product = met or self._next_after(product)
        self._check_out()

    def _search(self, product: DemoProduct) -> None:
        if self.random.random() < 0.06:
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
        if random.random() < (0.7 if visit.user_id else 0.4):
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
        shown = some(self.random, products, 12, without=self.owned | self.shop.overlooked)
        barred = self.owned | liked | self.shop.overlooked
        shown += some(self.random, self.shop.products, 12 - len(shown), without=barred)
        strategy = "personalized" if self.visit.user_id else self.random.choice(("session", "popular"))
        seen = self.random.randint(3, 8)
        served = self.visit.be_shown("homepage", strategy, shown, seen=seen)
        return self._look_over(served, shown[:seen], 0.1)

    def _see_similar(self, product: DemoProduct) -> DemoProduct | None:
        barred = self.owned | {product.product_id} | self.shop.overlooked
        partners = [partner for partner, _ in self.shop.partners[product.product_id]]
        if partners and self.random.random() < 0.5:
            shown, strategy = some(self.random, partners, 4, without=barred), "bought_together"
            barred |= {one.product_id for one in shown}
            shown += some(self.random, self.shop.by_shelf[product.category], 4 - len(shown), without=barred)
        else:
            shown, strategy = some(self.random, self.shop.by_shelf[product.category], 8, without=barred), "similar"
        if not shown:
            return None
        seen = self.random.randint(2, len(shown)) if len(shown) > 2 else len(shown)
        served = self.visit.be_shown("product_page", strategy, shown, seen=seen, anchor=product)
        return self._look_over(served, shown[:seen], 0.075)

    def _see_cart_list(self) -> None:
        carried = [product for product, _ in self.visit.cart.values()]
        barred = self.owned | set(self.visit.cart) | self.shop.overlooked
        fitting = [partner for product in carried for partner, _ in self.shop.partners[product.product_id]]
        fitting += [
            one
            for product in carried
            for shelf in SHELVES.get(product.category, ())
            for one in self.shop.by_shelf.get(shelf, ())
        ]
        unique = list({product.product_id: product for product in fitting}.values())
        shown = some(self.random, unique, 8, without=barred)
        barred |= {product.product_id for product in shown}
        shown += some(self.random, self.shop.products, 8 - len(shown), without=barred)
        seen = self.random.randint(2, 5)
        served = self.visit.be_shown("cart", "cart", shown, seen=seen)
        clicked = self._look_over(served, shown[:seen], 0.08)
        if clicked is not None:
            self.visit.view(clicked)
            if self.random.random() < CARTED_FROM_LIST:
                self.visit.put_into_cart(clicked)


def background_diary(products: Sequence[DemoProduct], now: datetime, days: int, shoppers: int, seed: int) -> Diary:
    """What `shoppers` known people and the strangers among them came to in the last `days`."""
    shop = shop_of(tuple(products), seed)
    diary = Diary(f"demo-{seed}-bg", Random(f"{seed}:background"))
    random = diary.random
    weeks = range(max(1, math.ceil(days / 7)))
    busyness = list(accumulate(GROWTH**-weeks_ago for weeks_ago in weeks))
    for number in range(1, shoppers + 1):
        user_id = f"shopper-{number:04d}"
        taste = _Taste(shop, random)
        owned: set[str] = set()
        for _ in range(max(2, min(24, round(random.lognormvariate(2.0, 0.6))))):
            weeks_ago = random.choices(weeks, cum_weights=busyness)[0]
            visit = Visit(diary, user_id, in_week(now, weeks_ago, days, random))
            _Stroller(shop, taste, visit, owned, weeks_ago == 0).walk()
        _restock(shop, taste, diary, user_id, now, days)
    for _ in range(STRANGERS * shoppers):
        weeks_ago = random.choices(weeks, cum_weights=busyness)[0]
        visit = Visit(diary, None, in_week(now, weeks_ago, days, random))
        _Stroller(shop, _Taste(shop, random), visit, set(), weeks_ago == 0).walk()
    return diary


def _restock(shop: Shop, taste: _Taste, diary: Diary, user_id: str, now: datetime, days: int) -> None:
    """Coffee, kibble and soap run out: the same few products again, at nearly regular intervals."""
    random = diary.random
    staples = [
        product
        for product in taste.products
        if product.category in RESTOCK_DAYS and product.is_sellable and product.product_id not in LASTING
    ]
    if not staples or random.random() < 0.6:
        return
    fame = [shop.fame[product.product_id] for product in staples]
    basket = [random.choices(staples, fame)[0]]
    neighbours = some(random, shop.by_shelf[basket[0].category], 2, without=[basket[0].product_id, *LASTING])
    basket += [product for product in neighbours if random.random() < 0.4]
    basket += [
        partner
        for partner, likelihood in shop.partners[basket[0].product_id]
        if random.random() < likelihood and partner not in basket
    ]
    interval = RESTOCK_DAYS[basket[0].category] * random.uniform(0.8, 1.25)
    days_ago = days - 1 - random.uniform(0, interval)
    while days_ago >= 0:
        visit = Visit(diary, user_id, on_day(now, int(days_ago), random))
        for product in basket:
            if random.random() < 0.3:
                visit.view(product)
            if random.random() < 0.93:
                visit.put_into_cart(product)
        if visit.cart and random.random() < 0.3:
            beside = some(random, taste.products, 8, without={*visit.cart, *shop.overlooked})
            visit.be_shown("cart", "cart", beside, seen=random.randint(2, 3))
        visit.buy()
        days_ago -= max(1.0, random.gauss(interval, interval * 0.08))


def inbox_diary(products: Sequence[DemoProduct], now: datetime, shoppers: int, rows: int, seed: int) -> Diary:
    """The last day of some of them, up to `rows` events."""
    shop = shop_of(tuple(products), seed)
    diary = Diary(f"demo-{seed}-inbox", Random(f"{seed}:inbox"), limit=rows)
    random = diary.random
    while not diary.is_full:
        user_id = f"shopper-{random.randint(1, shoppers):04d}" if random.random() < 0.7 else None
        start = now - timedelta(minutes=random.uniform(45, 20 * 60))
        _Stroller(shop, _Taste(shop, random), Visit(diary, user_id, start), set(), this_week=True).walk()
    return diary
