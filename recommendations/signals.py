"""The signals that a tuned placement may mix, each known by its code. No Django here."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from recommendations.contracts import Source

# How many of its best every signal proposes; of what any signal proposed, all signals speak.
PROPOSED = 40


class Form(StrEnum):
    """How a signal comes about at request time."""

    SOURCE = "source"  # one of the default blend's own sources
    LIST = "list"  # neighbour lists of what the shopper dealt with, or of the cart
    SHOPPERS = "shoppers"  # what similar shoppers did, stored for each shopper
    VISITS = "visits"  # what past visits like this one held
    OWN = "own"  # the shopper's own repeats
    LEVEL = "level"  # one number a product, the same for everybody


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: its family, how it comes about, the stored kind it reads, and the power its scores are raised to."""

    source: Source
    form: Form
    kind: str = ""
    power: float = 1.0


def _lists(*codes: str) -> dict[str, Signal]:
    return {code: Signal(Source.COLLABORATIVE, Form.LIST, code) for code in codes}


ALIKE = {
    "alike": Signal(Source.CONTENT, Form.LIST, "content", 6.0),
    "alike_soft": Signal(Source.CONTENT, Form.LIST, "content", 2.0),
}
# Half-lives in days.
POPULARITY_HALF_LIVES: Mapping[str, float] = MappingProxyType(
    {"popular_3": 3.0, "popular_14": 14.0, "popular_60": 60.0, "popular_365": 365.0}
)
# A profile's half-life: by what a shopper is represented where neighbour lists are added up.
PROFILE_HALF_LIFE = 60.0
# A short half-life against a long one, in days.
TRENDS: Mapping[str, tuple[float, float]] = MappingProxyType({"trend_short": (7.0, 60.0), "trend_long": (30.0, 365.0)})
LEVELS = {code: Signal(Source.POPULARITY, Form.LEVEL, code) for code in (*POPULARITY_HALF_LIVES, *TRENDS)}
OWN = {
    code: Signal(Source.COLLABORATIVE, Form.OWN, code) for code in ("own_often", "own_share", "own_recent", "own_due")
}
SHOPPERS = {
    code: Signal(Source.COLLABORATIVE, Form.SHOPPERS, code) for code in ("similar_recent", "similar", "similar_wide")
}
# 1 for whatever the shopper bought at any time: a weight of −1 puts it behind everything else.
BOUGHT_BEFORE = "bought_before"
# What is due to be bought again is no part of a tuned mix: where repeats are left out, it adds this much to a score.
RESTOCK = "restock"
RESTOCK_WEIGHT = 0.25
POPULAR = {"popular": Signal(Source.POPULARITY, Form.SOURCE)}

HOMEPAGE: Mapping[str, Signal] = MappingProxyType(
    {
        "taste": Signal(Source.CONTENT, Form.SOURCE),
        "neighbours": Signal(Source.COLLABORATIVE, Form.SOURCE),
        "similar_shoppers": Signal(Source.COLLABORATIVE, Form.SOURCE),
        **_lists("ease", "audience", "audience_recent", "next_order", "forecast", "sequence"),
        "alike": ALIKE["alike"],
        **SHOPPERS,
        **OWN,
        BOUGHT_BEFORE: Signal(Source.COLLABORATIVE, Form.OWN, BOUGHT_BEFORE),
        **LEVELS,
        **POPULAR,
    }
)
# Whoever nothing is known of can only be shown what others like.
GUEST: Mapping[str, Signal] = MappingProxyType({**LEVELS, **POPULAR})
# Somebody of whom only a visit is known.
VISITOR: Mapping[str, Signal] = MappingProxyType(
    {
        "taste": Signal(Source.CONTENT, Form.SOURCE),
        "neighbours": Signal(Source.COLLABORATIVE, Form.SOURCE),
        **_lists("ease", "audience", "audience_recent", "next_order", "forecast", "sequence"),
        "visits": Signal(Source.COLLABORATIVE, Form.VISITS),
        **ALIKE,
        **GUEST,
    }
)
# What an order's products say of each other.
ORDER_LISTS = (
    "order_ease_sized", "order_ease_both", "order_ease_soft", "order_ease_alike", "order_ease_named",
    "confidence", "confidence_soft", "damped",
)  # fmt: skip
ANCHORED: Mapping[str, Signal] = MappingProxyType(
    {
        "near_anchors": Signal(Source.CONTENT, Form.SOURCE),
        "together": Signal(Source.COLLABORATIVE, Form.SOURCE),
        "also_viewed": Signal(Source.COLLABORATIVE, Form.SOURCE),
        **_lists(*ORDER_LISTS, "audience_long", "audience_short", "sequence"),
        "visits": Signal(Source.COLLABORATIVE, Form.VISITS),
        **ALIKE,
        **LEVELS,
        **POPULAR,
    }
)
SIGNALS: Mapping[str, Signal] = MappingProxyType({**HOMEPAGE, **VISITOR, **ANCHORED})
