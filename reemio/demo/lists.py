"""Lists and results drawn on the server, for browsers that run no scripts: the same engine, asked directly."""

from dataclasses import dataclass
from typing import Any

from recommendations import search
from recommendations.answers import item_answers, list_answer
from recommendations.contracts import Filters, Placement, Query
from recommendations.services import serve_recommendations
from reemio.demo.visitors import Visitor

# What a page calls a list, and what the engine does.
PLACEMENTS = {
    "homepage": Placement.HOMEPAGE,
    "product": Placement.PRODUCT,
    "frequently-bought-together": Placement.BOUGHT_TOGETHER,
    "cart": Placement.CART,
}
MOST_RESULTS = 24


@dataclass(frozen=True, slots=True)
class ServedOnPage:
    """A list as the API answers it, and the heading that is true of it."""

    title: str
    answer: dict[str, Any]


def serve(
    visitor: Visitor, placement: str, *, title: str, limit: int, category: str = "", anchors: tuple[str, ...] = ()
) -> ServedOnPage:
    """Ask the engine for a list for this visitor."""
    query = Query(
        placement=PLACEMENTS[placement],
        limit=limit,
        user_id=visitor.user_id,
        session_id=visitor.session_id,
        anchors=anchors,
        filters=Filters(category),
    )
    answer = list_answer(serve_recommendations(query))
    return ServedOnPage("Popular right now" if answer["strategy"] == "popular" and not category else title, answer)


def find(visitor: Visitor, q: str, filters: Filters) -> dict[str, Any]:
    """Search for this visitor: the items, and how many matched."""
    query = Query(
        placement=Placement.HOMEPAGE,
        limit=MOST_RESULTS,
        user_id=visitor.user_id,
        session_id=visitor.session_id,
        filters=filters,
    )
    found = search.find(q, query)
    return {"items": item_answers(found.items), "total": found.total}
