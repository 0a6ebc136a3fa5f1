"""The shelf: this process' copy of the facts of all products, brought up to date, exactly, at each request.

Each product row carries the id of the transaction that wrote it last. A refresh asks, in one query, for the rows whose
writer was not visible in the snapshot of the refresh before: usually none. So a list never shows a price, a stock or a
title older than its request, and no request pays for facts that did not change.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from catalog.models import CATEGORY_SEPARATOR
from recommendations.contracts import Filters, Ids, ProductFacts, Target
from recommendations.marks import RESTAMP, UNSEEN, Mark

COLUMNS = (
    "p.id, p.product_id, p.title, p.category, p.brand, p.price, p.currency, p.image_url, p.url,"
    " p.is_active AND (p.stock_quantity IS NULL OR p.stock_quantity > 0), p.stock_quantity"
)
CATCH_UP = f"""
    SELECT pg_current_snapshot()::text, active.id, active.settings,
        COALESCE((SELECT version FROM recommendations_rulesversion), 0), {COLUMNS}
    FROM (VALUES (1)) AS once
    LEFT JOIN recommendations_modelversion active ON active.state = 'active'
    LEFT JOIN catalog_product p ON {UNSEEN.format(alias="p")}
"""  # noqa: S608  constants of this module
FIRST_LOAD = f"""
    SELECT pg_current_snapshot()::text, active.id, active.settings,
        COALESCE((SELECT version FROM recommendations_rulesversion), 0), {COLUMNS}
    FROM (VALUES (1)) AS once
    LEFT JOIN recommendations_modelversion active ON active.state = 'active'
    LEFT JOIN catalog_product p ON true
"""  # noqa: S608  constants of this module
_GENERATIONS = count()


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """The model version that answers, the settings it carries, and the version of the merchandising rules."""

    id: int | None
    settings: Mapping[str, Any]
    rules: int = 0


class Shelf:
    """All products by our id and by the shop's, with columns for quick selections. Safe to share among threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mark: Mark | None = None
        self._slots: dict[int, int] = {}
        self._by_shop_id: dict[str, int] = {}
        self._facts: list[ProductFacts] = []
        self._categories: dict[str, int] = {}
        self._ids = np.zeros(0, dtype=np.int64)
        self._ascending = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
        self._available = np.zeros(0, dtype=bool)
        self._price = np.zeros(0, dtype=np.float64)
        self._category = np.zeros(0, dtype=np.int32)
        self._brands: dict[str, int] = {}
        self._brand = np.zeros(0, dtype=np.int32)
        self._stock = np.zeros(0, dtype=np.float64)
        self._generation = next(_GENERATIONS)

    def __len__(self) -> int:
        return len(self._facts)

    def refresh(self) -> ActiveVersion:
        """Bring the shelf up to date with what this connection can see; return the active version. One query."""
        base = self._mark
        if base is None:
            with self._lock:
                return self._load()
        rows = _changes_since(base)
        with self._lock:
            if self._mark != base and rows[0][4] is not None:
                # Another thread moved the shelf on while we asked: what we hold may be older than what it put there.
                base = self._mark or base
                rows = _changes_since(base)
            if self._mark == base:
                self._put(rows)
                self._mark = Mark(rows[0][0])
        return _active(rows)

    def mark(self) -> Mark:
        """Return how far the shelf reaches; loads it where it is empty."""
        while self._mark is None:
            self.refresh()
        return self._mark

    def _load(self) -> ActiveVersion:
        with connection.cursor() as cursor:
            cursor.execute(RESTAMP.format(table="catalog_product"))
            cursor.execute(FIRST_LOAD)
            rows = cursor.fetchall()
        self._put(rows)
        self._mark = Mark(rows[0][0])
        return _active(rows)

    def clear(self) -> None:
        """Forget everything; the next refresh loads it again."""
        self.__init__()  # type: ignore[misc]  # a fresh start is what is meant

    def facts(self, product: int) -> ProductFacts:
        """Return the facts of the product with our id. Raises KeyError where there is none."""
        return self._facts[self._slots[product]]

    def get(self, product: int) -> ProductFacts | None:
        """Return the facts of the product with our id, or None."""
        slot = self._slots.get(product)
        return None if slot is None else self._facts[slot]

    def id_of(self, product_id: str) -> int | None:
        """Return our id of the product with the shop's id, or None."""
        return self._by_shop_id.get(product_id)

    def ids_of(self, product_ids: Iterable[str]) -> list[int]:
        """Return our ids of those that are known, in the given order."""
        return [found for name in product_ids if (found := self._by_shop_id.get(name)) is not None]

    @property
    def ids(self) -> Ids:
        """Return our ids of all products, by slot."""
        return self._ids

    def slots_of(self, products: Ids | Sequence[int]) -> npt.NDArray[np.int64]:
        """Return the slots of products; -1 for those that are not on the shelf."""
        ids, slots = self._ascending
        if len(ids) == 0 or len(products) == 0:
            return np.full(len(products), -1)
        asked = np.asarray(products, np.int64)
        places = np.minimum(np.searchsorted(ids, asked), len(ids) - 1)
        return np.where(ids[places] == asked, slots[places], -1)

    def eligible(self, filters: Filters) -> npt.NDArray[np.bool_]:
        """Return, by slot, whether a product may be shown under these filters."""
        if not filters:
            return self._available
        kept = self._available.copy()
        if filters.category:
            kept &= np.isin(self._category, self._codes_below(filters.category))
        if filters.min_price is not None:
            kept &= self._price >= float(filters.min_price)
        if filters.max_price is not None:
            kept &= self._price <= float(filters.max_price)
        return kept

    def in_categories(self, categories: Iterable[str]) -> npt.NDArray[np.bool_]:
        """Return, by slot, whether a product is in exactly one of these categories."""
        codes = [code for path in categories if (code := self._categories.get(path)) is not None]
        return np.isin(self._category, codes)

    @property
    def generation(self) -> int:
        """Return a number that differs whenever any product has changed."""
        return self._generation

    def everything(self) -> tuple[Sequence[ProductFacts], int]:
        """Return the facts of all products, not to be changed, and the generation to which they belong."""
        with self._lock:
            return self._facts.copy(), self._generation

    def fitting(self, target: Target) -> npt.NDArray[np.bool_]:
        """Return, by slot, whether a product meets every condition of a merchandising rule's target."""
        with self._lock:
            fits = np.ones(len(self._facts), bool)
            if target.products:
                fits &= np.isin(self._ids, np.fromiter(target.products, np.int64, len(target.products)))
            if target.category:
                fits &= np.isin(self._category, self._codes_below(target.category))
            if target.brand:
                fits &= self._brand == self._brands.get(target.brand, -2)
            # A comparison with NaN (no price, a stock that is not tracked) is false.
            for column, lowest, highest in (
                (self._price, target.min_price, target.max_price),
                (self._stock, target.min_stock, target.max_stock),
            ):
                if lowest is not None:
                    fits &= column >= float(lowest)
                if highest is not None:
                    fits &= column <= float(highest)
            return fits

    def _codes_below(self, category: str) -> list[int]:
        below = category + CATEGORY_SEPARATOR
        return [code for path, code in self._categories.items() if path == category or path.startswith(below)]

    def _put(self, rows: Iterable[Sequence[Any]]) -> None:
        changed = [ProductFacts(*row[4:]) for row in rows if row[4] is not None]
        if not changed:
            return
        fresh = [facts for facts in changed if facts.id not in self._slots]
        self._grow(len(self._facts) + len(fresh))
        for facts in changed:
            slot = self._slots.get(facts.id, len(self._facts))
            if slot == len(self._facts):
                self._facts.append(facts)
            else:
                self._facts[slot] = facts
            self._ids[slot] = facts.id
            self._price[slot] = _number(facts.price)
            self._category[slot] = self._categories.setdefault(facts.category, len(self._categories))
            self._available[slot] = facts.available
            self._brand[slot] = self._brands.setdefault(facts.brand, len(self._brands))
            self._stock[slot] = _number(facts.stock)
            self._slots[facts.id] = slot
            self._by_shop_id[facts.product_id] = facts.id
        if fresh:
            order = np.argsort(self._ids)
            self._ascending = (self._ids[order], order)
        self._generation = next(_GENERATIONS)

    def _grow(self, size: int) -> None:
        """Make room, in new arrays: a reader in another thread keeps the ones it took."""
        more = size - len(self._ids)
        self._ids = np.concatenate([self._ids, np.zeros(more, np.int64)])
        self._price = np.concatenate([self._price, np.full(more, np.nan)])
        self._category = np.concatenate([self._category, np.full(more, -1, np.int32)])
        self._available = np.concatenate([self._available, np.zeros(more, bool)])
        self._brand = np.concatenate([self._brand, np.full(more, -1, np.int32)])
        self._stock = np.concatenate([self._stock, np.full(more, np.nan)])


def _changes_since(mark: Mark) -> list[Any]:
    with connection.cursor() as cursor:
        # Not a prepared statement: with the values known, only the few rows that changed are looked at.
        cursor.execute(CATCH_UP, mark.parameters())
        return list(cursor.fetchall())


def _active(rows: Sequence[Any]) -> ActiveVersion:
    return active_version(*rows[0][1:4])


# Whoever reads settings never changes them; a version's text is parsed once.
@lru_cache(maxsize=16)
def active_version(version: int | None, settings: str | None, rules: int) -> ActiveVersion:
    """Return the version with this number and these settings, as JSON text, and the rules' version."""
    return ActiveVersion(version, json.loads(settings) if settings else {}, rules)


def _number(price: Decimal | int | None) -> float:
    return float("nan") if price is None else float(price)


shelf = Shelf()
