"""What a shopper's own purchases say about the next one: pure formulas, for one shopper or for all. No Django here."""

from dataclasses import dataclass

import numpy as np

from recommendations.contracts import Scores

RECENT_HALF_LIFE = 60.0
MANY = 10.0


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """n products that shoppers bought: parallel arrays, ages and the usual interval in days.

    `orders` counts the shopper's orders that held the product, `all_orders` all of the same shopper's orders;
    `usual` is the interval at which shoppers in general buy the product again.
    """

    orders: Scores
    all_orders: Scores
    first_age: Scores
    last_age: Scores
    usual: Scores


def own_signals(own: OwnHistory) -> dict[str, Scores]:
    """Return the four signals of each product, all in [0, 1] and comparable between shoppers.

    own_often  = ln(1 + orders) / ln(11): 1 at ten orders;
    own_share  = √(orders / (all orders + 2));
    own_recent = 2^(−age of the last one / 60 days);
    own_due    = own_often × e^(−|ln((age + 1) / (interval + 1))|): largest when the usual interval has just passed.
    The interval is the shopper's own, shrunk towards the product's usual one as if that had been seen twice.
    """
    interval = (own.first_age - own.last_age + 2 * own.usual) / (own.orders + 1)
    often = np.minimum(np.log1p(own.orders) / np.log1p(MANY), 1.0)
    age = np.maximum(own.last_age, 0.0)
    return {
        "own_often": often,
        "own_share": np.sqrt(own.orders / (own.all_orders + 2)),
        "own_recent": np.exp2(-age / RECENT_HALF_LIFE),
        "own_due": often * np.exp(-np.abs(np.log((age + 1) / (interval + 1)))),
    }
