"""Popularity: decayed, weighted counts; also what fills every list that other signals leave short."""

import numpy as np
import numpy.typing as npt

from recommendations import popular
from recommendations.candidates import DEPTH, Context
from recommendations.contracts import Ids, RuleAction, Scores, Source, Votes
from recommendations.leading import distinct, leading


def most_popular(context: Context, others: Ids) -> Votes:
    """Return the most popular of everything that may be shown, and the popularity of the `others`' candidates.

    With equal counts the newest comes first. There is a vote for products that nobody has touched, too: the list has
    to be filled in a shop that opened today.
    """
    return _ranked(context, context.eligible(), others, "popular")


def most_popular_alike(context: Context, others: Ids) -> Votes:
    """Return the same among the anchors' own categories; among all products where that leaves too few."""
    categories = {context.shelf.facts(anchor).category for anchor in context.anchors} - {""}
    alike = context.eligible() & context.shelf.in_categories(categories)
    found = _ranked(context, alike, others, "popular_alike")
    return found if len(found) > context.query.limit else most_popular(context, others)


def _ranked(context: Context, allowed: npt.NDArray[np.bool_], others: Ids, code: str) -> Votes:
    """Return the popularity of the best of what is `allowed`, by slot, and of the `others`; products by id."""
    scores, best = _live(context, allowed) if context.query.as_of is None else _as_of(context, allowed)
    chosen = distinct(np.concatenate([context.shelf.ids[best], others]))
    nothing = np.zeros(len(chosen), np.int64)
    return Votes(Source.POPULARITY, code, chosen, scores[context.shelf.slots_of(chosen)], nothing, nothing)


def _live(context: Context, allowed: npt.NDArray[np.bool_]) -> tuple[Scores, Ids]:
    """Return the popularity now of everything, by slot, and the slots of the best that are `allowed`."""
    standing = popular.standing()
    size = len(standing.scores)
    head = standing.best[allowed[standing.best]][:DEPTH]
    if (len(head) == DEPTH or len(standing.best) == size) and not context.verdicts.says(RuleAction.BURY):
        return standing.scores, head
    return standing.scores, _best(context, allowed[:size], standing.scores)


def _as_of(context: Context, allowed: npt.NDArray[np.bool_]) -> tuple[Scores, Ids]:
    scores = popular.scores_of(context.shelf.ids, as_of=context.query.as_of)
    return scores, _best(context, allowed, scores)


def _best(context: Context, allowed: npt.NDArray[np.bool_], scores: Scores) -> Ids:
    """Return the slots of the best that are `allowed`; what a rule buries comes after everything else."""
    slots = np.flatnonzero(allowed)
    wanted = scores[slots] - _buried(context, context.shelf.ids[slots])
    return slots[leading(context.shelf.ids[slots], wanted, DEPTH, newest_first=True)]


def _buried(context: Context, products: Ids) -> Scores:
    """Return 1 for what a rule buries, 0 for the rest: what is buried fills a list up after everything else."""
    if not context.verdicts.says(RuleAction.BURY):
        return np.zeros(len(products))
    places = context.verdicts.at(context.shelf.slots_of(products))
    return context.verdicts.saying(RuleAction.BURY, places).astype(np.float64)
