"""What the pipeline's stages hand to each other: frozen data, no model instance, nothing mutable. No Django here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class Placement(StrEnum):
    """Where a list stands; each has settings of its own."""

    HOMEPAGE = "homepage"
    PRODUCT = "product"
    CART = "cart"
    BOUGHT_TOGETHER = "bought_together"


class Strategy(StrEnum):
    """What was really done to make a list."""

    PERSONALIZED = "personalized"
    SESSION = "session"
    POPULAR = "popular"
    SIMILAR = "similar"
    CART = "cart"
    BOUGHT_TOGETHER = "bought_together"
    SEARCH = "search"


class Source(StrEnum):
    """Which signal speaks for a candidate."""

    CONTENT = "content"
    COLLABORATIVE = "collaborative"
    POPULARITY = "popularity"


@dataclass(frozen=True, slots=True)
class Filters:
    """What the caller wants to see only: a category and what lies below it, and a price band, bounds included."""

    category: str = ""
    min_price: Decimal | None = None
    max_price: Decimal | None = None

    def __bool__(self) -> bool:
        return bool(self.category) or self.min_price is not None or self.max_price is not None


@dataclass(frozen=True, slots=True)
class Query:
    """One question to the engine. Ids are the shop's own; `anchors` are the product or the cart it is about."""

    placement: Placement
    limit: int
    user_id: str = ""
    session_id: str = ""
    anchors: tuple[str, ...] = ()
    exclude: frozenset[str] = frozenset()
    filters: Filters = Filters()
    as_of: datetime | None = None
    include_purchased: bool = False


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What rules, reasons and answers need to know of a product. `id` is ours, `product_id` the shop's."""

    id: int
    product_id: str
    title: str
    category: str
    brand: str
    price: Decimal | None
    currency: str
    image_url: str
    url: str
    available: bool
    stock: int | None = None


class RuleAction(StrEnum):
    """What a merchandising rule does with a product; of rules of one priority that fit it, the first here decides."""

    HIDE = "hide"
    PIN = "pin"
    BURY = "bury"
    BOOST = "boost"


@dataclass(frozen=True, slots=True)
class Target:
    """What a merchandising rule is about: the products that meet every condition given, bounds included.

    `products` are our ids; `category` means what lies below it, too. A product without a price is in no price band,
    one whose stock is not tracked at no stock level.
    """

    products: frozenset[int] = frozenset()
    category: str = ""
    brand: str = ""
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    min_stock: int | None = None
    max_stock: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A merchandising rule: between two moments (None: no end), on these placements ("search" is one; none: all).

    `position` is the place of a pin, from 1; `factor` what a boost multiplies a score by.
    """

    id: int
    action: RuleAction
    target: Target
    priority: int = 0
    placements: frozenset[str] = frozenset()
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    position: int = 1
    factor: float = 1.0

    def is_live(self, placement: str, moment: datetime) -> bool:
        """Tell whether this rule has a say on a placement at a moment."""
        begun = self.starts_at is None or self.starts_at <= moment
        over = self.ends_at is not None and self.ends_at <= moment
        return begun and not over and (not self.placements or placement in self.placements)


@dataclass(frozen=True, slots=True)
class RecentProduct:
    """A product that the shopper dealt with, the latest event first; `weight` is decayed."""

    product: int
    kind: str
    occurred_at: datetime
    weight: float


@dataclass(frozen=True, slots=True)
class Taste:
    """What is known of whoever asks, up to the present event.

    `vector` has 384 dimensions and unit length, or is None where nothing was learned. `recent` holds each product
    once, strongest first; `visit` the products of the last half hour, the latest first. `owned` are the products
    bought in the last 30 days. `known_user` tells a user's own
    history from a session's. `categories` maps category paths to decayed weight, the largest first.
    """

    vector: npt.NDArray[np.float32] | None = None
    recent: tuple[RecentProduct, ...] = ()
    visit: tuple[RecentProduct, ...] = ()
    owned: frozenset[int] = frozenset()
    categories: Mapping[str, float] = field(default_factory=dict)
    known_user: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to personalise by."""
        return self.vector is None and not self.recent


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """The neighbours of one product, best first: parallel arrays of ids, similarities and support counts."""

    products: Ids
    scores: Scores
    supports: Counts


@dataclass(frozen=True, slots=True)
class Votes:
    """What one source proposes: parallel arrays, of one length, products once each.

    `scores` are raw: cosines, summed similarities, decayed counts. `supports` counts the shoppers or orders behind
    each (0: no such count). `because` names the product that speaks loudest for each (0: none). `code` says what kind
    of reason this is, and in a mix which signal. `absolute` scores are in [0, 1] already and stay as they are.
    """

    source: Source
    code: str
    products: Ids
    scores: Scores
    supports: Counts
    because: Ids
    absolute: bool = False

    def __len__(self) -> int:
        return len(self.products)


@dataclass(frozen=True, slots=True)
class PlacementSettings:
    """How a placement scores and which business rules it keeps; part of a model version.

    `rescale` says how raw scores come into [0, 1]; `category_share` and `brand_share` are the largest part of a list
    that one category or brand may fill where alternatives exist (1: no limit).

    A `mix` maps codes of signals to weights, which may be negative and whose sizes add up to 1. Where there is one, it
    takes the place of `weights`: score = Σ weight × signal, kept within [0, 1].
    """

    weights: Mapping[str, float]
    rescale: str = "max"
    category_share: float = 1.0
    brand_share: float = 1.0
    rerank: bool = False
    mix: Mapping[str, float] = field(default_factory=dict)


# Without slots: `scoring` makes hundreds of them a list, by way of their dictionaries.
@dataclass(frozen=True)
class Scored:
    """A candidate with its signals in [0, 1], its blended score, and the votes that speak for it, loudest first.

    `rule` is the merchandising rule that pinned, boosted or buried it, if one did.
    """

    product: int
    score: float
    content: float
    collaborative: float
    popularity: float
    loudest: str
    support: int
    because: int
    rerank: float | None = None
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item is shown: a constant code, a sentence for people, and the product it refers to, if any."""

    code: str
    text: str
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of an answered list."""

    scored: Scored
    facts: ProductFacts
    reason: Reason


@dataclass(frozen=True, slots=True)
class Recommendations:
    """An answered list, and how it came about."""

    query: Query
    strategy: Strategy
    items: tuple[Item, ...]
    model_version: int | None
    rerank_state: str
    stages: Mapping[str, float] = field(default_factory=dict)
