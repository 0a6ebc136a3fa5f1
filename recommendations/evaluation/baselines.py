"""What a list has to beat: rankings that need no model, made for all cases at once."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from django.db import connection

from recommendations.contracts import Filters, Ids
from recommendations.evaluation.cases import Case
from recommendations.evaluation.metrics import padded
from recommendations.evaluation.split import Split
from recommendations.shelf import shelf

RECENT_DAYS = 7
Counts = npt.NDArray[np.int64]

COUNTED = """
    SELECT p.id, count(*), count(*) FILTER (WHERE i.occurred_at >= %(recent)s)
    FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
    WHERE i.interaction_type = %(deed)s AND i.occurred_at < %(as_of)s GROUP BY p.id
"""
# A product's line in the history counts once a basket; of equals, what was had last comes first.
OWN = """
    SELECT i.user_id, p.id
    FROM user_interactions i JOIN catalog_product p ON p.product_id = i.product_id
    WHERE i.interaction_type = %(deed)s AND i.occurred_at < %(as_of)s AND i.user_id = ANY(%(users)s)
    GROUP BY i.user_id, p.id
    ORDER BY i.user_id, count(DISTINCT COALESCE(i.order_id, i.session_id, i.occurred_at::date::text)) DESC,
        max(i.occurred_at) DESC, p.id
"""


class Baselines:
    """The baselines of one split. Only products that may be shown are ranked, each once, in a fixed order."""

    def __init__(self, split: Split) -> None:
        """Count, in one query, how often each product was chosen before the moment, and in the last week before it."""
        self._split = split
        self.products = np.sort(shelf.ids[shelf.eligible(Filters())])
        self.counts, recent = _counted(split, self.products)
        self._popular = self.products[np.lexsort((self.products, -self.counts))]
        self._recent = self.products[np.lexsort((self.products, -self.counts, -recent))]

    def popular(self, cases: Sequence[Case], k: int) -> Ids:
        """Return for each case what was chosen most often, ever."""
        return padded([_first(self._popular, case, k) for case in cases], k)

    def recent_popular(self, cases: Sequence[Case], k: int) -> Ids:
        """Return for each case what was chosen most often in the last seven days, then what ever was."""
        return padded([_first(self._recent, case, k) for case in cases], k)

    def random(self, cases: Sequence[Case], k: int, *, seed: int) -> Ids:
        """Return for each case products drawn without replacement, all equally likely."""
        rng = np.random.default_rng(seed)
        most = len(self.products)
        drawn = (
            rng.choice(self.products, size=min(most, k + len(case.barred)), replace=False) if most else self.products
            for case in cases
        )
        return padded([_first(order, case, k) for case, order in zip(cases, drawn, strict=True)], k)

    def own_repeat(self, cases: Sequence[Case], k: int) -> Ids:
        """Return what the shopper had most often, then latest; filled up with what is popular of late."""
        own = self._own(cases)
        nothing = np.zeros(0, np.int64)
        lists = []
        for case in cases:
            mine = _first(own.get(case.query.user_id, nothing), case, k)
            lists.append(list(dict.fromkeys(mine + _first(self._recent, case, 2 * k))))
        return padded(lists, k)

    def _own(self, cases: Sequence[Case]) -> Mapping[str, Ids]:
        users = [case.query.user_id for case in cases]
        found: dict[str, list[int]] = {}
        with connection.cursor() as cursor:
            cursor.execute(OWN, {"deed": self._split.deed, "as_of": self._split.as_of, "users": users})
            for user_id, product in cursor.fetchall():
                found.setdefault(user_id, []).append(product)
        return {user: _kept(np.array(products, np.int64), self.products) for user, products in found.items()}


def _counted(split: Split, products: Ids) -> tuple[Counts, Counts]:
    """Return, for each of `products`, its deeds before the moment, and those of the week before it."""
    recent = split.as_of - timedelta(days=RECENT_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {"deed": split.deed, "as_of": split.as_of, "recent": recent})
        rows = np.array(cursor.fetchall(), np.int64).reshape(-1, 3)
    rows = rows[np.isin(rows[:, 0], products)]
    counts = np.zeros((2, len(products)), np.int64)
    counts[:, np.searchsorted(products, rows[:, 0])] = rows[:, 1:].T
    return counts[0], counts[1]


def _first(order: Ids, case: Case, k: int) -> list[int]:
    """Return the first k of `order` that this case's list may hold."""
    head = order[: k + len(case.barred)].tolist()
    return [product for product in head if product not in case.barred][:k]


def _kept(order: Ids, products: Ids) -> Ids:
    return order[np.isin(order, products)]
