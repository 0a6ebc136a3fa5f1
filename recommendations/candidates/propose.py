"""Which sources are asked for which placement."""

from collections.abc import Sequence
from dataclasses import replace

from recommendations.candidates import Context, products_of
from recommendations.candidates.collaborative import (
    alike_in_visit,
    bought_with_anchors,
    due_again,
    neighbours_of_anchors,
    neighbours_of_recent,
    similar_shoppers,
)
from recommendations.candidates.content import near_anchors, near_taste
from recommendations.candidates.popularity import most_popular, most_popular_alike
from recommendations.contracts import Placement, Votes


def propose(context: Context) -> tuple[Votes, ...]:
    """Return the votes of every source that has something to say; popularity always has, and speaks of all."""
    if context.query.placement is Placement.BOUGHT_TOGETHER:
        return _bought_together(context)
    found = tuple(one for one in _by_placement(context) if one is not None and len(one))
    alike = context.query.placement is Placement.PRODUCT
    return (*found, (most_popular_alike if alike else most_popular)(context, products_of(found)))


def _by_placement(context: Context) -> Sequence[Votes | None]:
    if context.query.placement is Placement.HOMEPAGE:
        return (
            near_taste(context),
            alike_in_visit(context),
            neighbours_of_recent(context),
            similar_shoppers(context),
            due_again(context),
        )
    if not context.anchors:
        return ()
    if context.query.placement is Placement.PRODUCT:
        return near_anchors(context), neighbours_of_anchors(context)
    return near_anchors(context), bought_with_anchors(context), neighbours_of_anchors(context)


def _bought_together(context: Context) -> tuple[Votes, ...]:
    """Return what was really bought together, by that signal alone; the other sources speak of the rest."""
    together = bought_with_anchors(context)
    rest = replace(context, barred=context.barred | set(together.products.tolist()))
    alike = near_anchors(rest)
    return together, alike, most_popular(rest, products_of([alike]))
