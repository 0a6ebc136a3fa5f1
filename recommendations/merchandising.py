"""Merchandising rules as a request sees them: which are live, and which of them decides about each product.

One rule at most decides about a product: of those that fit it the one with the highest priority; of equals the one
whose action comes first (hide, pin, bury, boost), then the older one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from recommendations.contracts import Ids, Rule, RuleAction, Target
from recommendations.shelf import ActiveVersion, Shelf

SEARCH = "search"
ORDER = tuple(RuleAction)
MOST_KEPT = 16

# A rule without a start begins when it was made: lists as of a moment before know nothing of it.
READ = """
    SELECT r.id, r.action, r.priority, r.placements, COALESCE(r.starts_at, r.created_at), r.ends_at, r.position,
        r.factor, r.category, r.brand, r.min_price, r.max_price, r.min_stock, r.max_stock,
        ARRAY(SELECT p.product_id FROM recommendations_merchandisingrule_products p
            WHERE p.merchandisingrule_id = r.id)
    FROM recommendations_merchandisingrule r WHERE r.enabled
"""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Which of `rules` decides about each product: by slot, its place in `rules`, or −1."""

    rules: tuple[Rule, ...]
    decided: npt.NDArray[np.int16]

    def says(self, action: RuleAction) -> bool:
        """Tell whether there is a rule with this action."""
        return any(rule.action is action for rule in self.rules)

    def at(self, slots: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
        """Return the places in `rules` of those that decide about these slots; −1 for none, and for newer slots."""
        known = (slots >= 0) & (slots < len(self.decided))
        places: npt.NDArray[np.int16] = np.append(self.decided, np.int16(-1))[np.where(known, slots, -1)]
        return places

    def saying(self, action: RuleAction, places: npt.NDArray[np.int16]) -> npt.NDArray[np.bool_]:
        """Return, for places in `rules`, whether that is a rule with this action."""
        said: npt.NDArray[np.bool_] = np.array([rule.action is action for rule in self.rules] + [False])[places]
        return said

    def hidden(self, size: int) -> npt.NDArray[np.bool_]:
        """Return, for the first `size` slots, whether a rule hides what is there."""
        said = self.saying(RuleAction.HIDE, self.decided[:size])
        return np.concatenate([said, np.zeros(size - len(said), bool)])

    def of(self, products: Sequence[int], shelf: Shelf) -> Mapping[int, Rule]:
        """Return the rules that decide about these products, by product; most have none."""
        if not self.rules:
            return {}
        places = self.at(shelf.slots_of(products)).tolist()
        return {product: self.rules[place] for product, place in zip(products, places, strict=True) if place >= 0}


NO_VERDICTS = Verdicts((), np.zeros(0, np.int16))


class _Kept:
    """What this process read and worked out last; replaced whole, never changed."""

    rules: tuple[int, tuple[Rule, ...]] = (0, ())
    verdicts: Mapping[tuple[int, tuple[Rule, ...]], Verdicts] = {}


_lock = Lock()


def rules_of(active: ActiveVersion) -> tuple[Rule, ...]:
    """Return all enabled rules, in the order in which they decide. One query after each change of any rule."""
    version, rules = _Kept.rules
    if version != active.rules:
        rules = in_order(read())
        _Kept.rules = active.rules, rules
    return rules


def live(rules: Iterable[Rule], placement: str, moment: datetime) -> tuple[Rule, ...]:
    """Return the rules that have a say on a placement at a moment."""
    return tuple(rule for rule in rules if rule.is_live(placement, moment))


def verdicts_of(rules: tuple[Rule, ...], shelf: Shelf) -> Verdicts:
    """Return which of these rules, given in the order in which they decide, decides about each product.

    Worked out again only when a rule begins, ends or changes, or any product does.
    """
    if not rules:
        return NO_VERDICTS
    key = (shelf.generation, rules)
    found = _Kept.verdicts.get(key)
    if found is None:
        found = _decided(rules, shelf)
        with _lock:
            kept = {one: verdicts for one, verdicts in _Kept.verdicts.items() if one[0] == key[0]}
            _Kept.verdicts = {key: found} if len(kept) >= MOST_KEPT else {**kept, key: found}
    return found


def forget() -> None:
    """Read and work out everything again at the next question."""
    with _lock:
        _Kept.rules, _Kept.verdicts = (0, ()), {}


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return the rules in the order in which they decide."""
    return tuple(sorted(rules, key=lambda rule: (-rule.priority, ORDER.index(rule.action), rule.id)))


def read() -> list[Rule]:
    """Return every enabled rule; one that names nothing at all concerns nothing. One query."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        rules = [_rule(*row) for row in cursor.fetchall()]
    return [rule for rule in rules if rule.target != Target()]


def _decided(rules: Sequence[Rule], shelf: Shelf) -> Verdicts:
    decided = np.full(len(shelf.ids), -1, np.int16)
    for place, rule in enumerate(rules):
        fits = shelf.fitting(rule.target)[: len(decided)]
        free = decided[: len(fits)]
        free[fits & (free < 0)] = place
    return Verdicts(tuple(rules), decided)


def _rule(
    number: int, action: str, priority: int, placements: Sequence[str], starts_at: datetime, ends_at: datetime | None,
    position: int | None, factor: float | None, category: str, brand: str, min_price: Any, max_price: Any,
    min_stock: int | None, max_stock: int | None, products: Sequence[int],
) -> Rule:  # fmt: skip
    return Rule(
        id=number,
        action=RuleAction(action),
        target=Target(frozenset(products), category, brand, min_price, max_price, min_stock, max_stock),
        priority=priority,
        placements=frozenset(placements),
        starts_at=starts_at,
        ends_at=ends_at,
        position=position or 1,
        factor=factor or 1.0,
    )


def pinned(verdicts: Verdicts) -> Ids:
    """Return every product that some pin names."""
    pins = (rule.target.products for rule in verdicts.rules if rule.action is RuleAction.PIN)
    return np.array(sorted(frozenset().union(*pins)), np.int64)
