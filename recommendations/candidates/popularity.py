"""Popularity: decayed, weighted counts; also what fills every list that other signals leave short."""

import numpy as np

from recommendations import popular
from recommendations.candidates import DEPTH, Context
from recommendations.contracts import Ids, RuleAction, Scores, Source, Votes


def most_popular(context: Context, others: Ids) -> Votes:
    """Return the most popular of everything that may be shown, and the popularity of the `others`' candidates.

    With equal counts the newest comes first. There is a vote for products that nobody has touched, too: the list has
    to be filled in a shop that opened today.
    """
    return _ranked(context, context.shelf.ids[context.eligible()], others, "popular")


def most_popular_alike(context: Context, others: Ids) -> Votes:
    """Return the same among the anchors' own categories; among all products where that leaves too few."""
    categories = {context.shelf.facts(anchor).category for anchor in context.anchors} - {""}
    alike = context.eligible() & context.shelf.in_categories(categories)
    found = _ranked(context, context.shelf.ids[alike], others, "popular_alike")
    return found if len(found) > context.query.limit else most_popular(context, others)


def _ranked(context: Context, products: Ids, others: Ids, code: str) -> Votes:
    scores = popular.scores_of(products, as_of=context.query.as_of)
    count = min(len(products), DEPTH)
    wanted = scores - _buried(context, products)
    best = np.argpartition(-wanted, count - 1)[:count] if 0 < count < len(products) else np.arange(count)
    chosen = np.union1d(products[best], others)
    scores = popular.scores_of(chosen, as_of=context.query.as_of)
    order = np.lexsort((-chosen, -scores))
    nothing = np.zeros(len(chosen), np.int64)
    return Votes(Source.POPULARITY, code, chosen[order], scores[order], nothing, nothing)


def _buried(context: Context, products: Ids) -> Scores:
    """Return 1 for what a rule buries, 0 for the rest: what is buried fills a list up after everything else."""
    if not context.verdicts.says(RuleAction.BURY):
        return np.zeros(len(products))
    places = context.verdicts.at(context.shelf.slots_of(products))
    return context.verdicts.saying(RuleAction.BURY, places).astype(np.float64)
