"""Page 8: why a list is as it is, stage by stage, and why a product is not in it. The live pipeline answers."""

from collections.abc import Iterator, Mapping
from typing import Any

from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import PLACEMENTS, STRATEGIES
from analytics.pages.page import PERSONAL, Asked, Page
from analytics.pages.parts import Empty, Fact, Meter
from analytics.pages.tables import Table
from recommendations import pipeline
from recommendations.contracts import Placement, Query
from recommendations.explaining import Candidate, Explanation, explain
from recommendations.pipeline import Considered
from recommendations.shelf import shelf

SHOWN = 12
LEFT_OUT = 20
NAMES: Mapping[str, str] = {one.value: PLACEMENTS[one.value] for one in Placement}
NEEDS_PRODUCT = (Placement.PRODUCT, Placement.BOUGHT_TOGETHER, Placement.CART)
SPEAKERS: Mapping[str, str] = {
    "taste": "Near the taste, by text",
    "near": "Near the product, by text",
    "near_taste": "Near the taste, by text",
    "near_anchors": "Near the product, by text",
    "visit": "Like what was seen in this visit",
    "neighbours": "Who did this also did that",
    "similar_shoppers": "What similar shoppers chose",
    "together": "Bought in the same orders",
    "also_viewed": "Also viewed with it",
    "restock": "Used up, and due again",
    "popular": "Popular in the shop",
    "popular_alike": "Popular in its category",
}
SCORES = (
    Column("place", "Place", "number"),
    Column("title", "Product", "product"),
    Column("reason", "Why", wide=True),
    Column("score", "Score", "score"),
    Column("content", "Content", "score"),
    Column("collaborative", "Collaborative", "score"),
    Column("popularity", "Popularity", "score"),
    Column("rerank", "Rerank", "score"),
    Column("scored_at", "By score", "number"),
    Column("reranked_at", "Reranked", "number"),
)


def build(asked: Asked) -> Mapping[str, Any]:
    """Return the stages of the list that was asked for."""
    query, complaint = _query(asked)
    missing = asked.request.GET.get("missing", "").strip()[:128]
    shared: dict[str, Any] = {
        "placements": [(name, label, name == query.placement) for name, label in NAMES.items()],
        "query": query,
        "products": ", ".join(query.anchors),
        "missing": missing,
        "may_name_people": asked.may(PERSONAL),
        "complaint": complaint,
    }
    if complaint:
        return shared
    considered = _explained(asked, query).considered
    answer = pipeline.answered(considered)
    return shared | {
        "answer": answer,
        "strategy": STRATEGIES.get(answer.strategy, answer.strategy),
        "known": list(_known(considered)),
        "weights": _weights(considered),
        "sources": _sources(considered),
        "why_not": _explained(asked, query).why_not(missing) if missing else None,
        "stages": _stages(considered),
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return what is shown, and what came close."""
    query, complaint = _query(asked)

    def read(shown: bool) -> list[Row]:
        if complaint:
            return []
        return list((_shown if shown else _left_out)(_explained(asked, query)))

    return {
        "shown": Table(
            "shown",
            "What is shown, and why",
            SCORES,
            lambda most: read(True),
            ranked=True,
            empty=Empty("Nothing may be shown here.", "Every product is sold out, hidden, or outside of the filters."),
            note="The score is made of three signals from 0 to 1: content (how alike texts are), collaborative (who "
            "did this also did that) and popularity. “By score” and “Reranked” are the places after stages 2 and 3; "
            "rules and shares make the last one.",
        ),
        "close": Table(
            "close",
            "What came close, and why it is not shown",
            SCORES[1:],
            lambda most: read(False),
            ranked=True,
            shown=20,
            empty=Empty("Everything that was proposed is shown."),
        ),
    }


def _query(asked: Asked) -> tuple[Query, str]:
    """Return the question to the engine, and what is missing to ask it."""
    get = asked.request.GET
    placement = get.get("placement", "")
    place = Placement(placement) if placement in NAMES else Placement.HOMEPAGE
    anchors = tuple(dict.fromkeys(part.strip() for part in get.get("products", "").split(",") if part.strip()))[:50]
    people = asked.may(PERSONAL)
    user, session = (get.get(name, "").strip()[:128] if people else "" for name in ("user", "session"))
    query = Query(place, SHOWN, user_id=user, session_id=session, anchors=anchors)
    if place in NEEDS_PRODUCT and not anchors:
        return query, "Name the product, or what is in the cart, by the shop’s ids, separated by commas."
    shelf.refresh()
    if anchors and not shelf.ids_of(anchors):
        return query, "The catalogue knows none of these products."
    return query, ""


def _explained(asked: Asked, query: Query) -> Explanation:
    """Return the list as the live pipeline makes it: once for a page, though several parts of it ask."""
    return asked.once("explained", lambda: explain(query))


def _known(considered: Considered) -> Iterator[Fact]:
    taste = considered.context.taste
    yield Fact("Products to go by", formats.number(len(taste.recent)), note=", ".join(_titles(considered)[:3]))
    yield Fact("Of them in this visit", formats.number(len(taste.visit)))
    yield Fact("Bought in the last 30 days", formats.number(len(taste.owned)))
    yield Fact("Strongest category", next(iter(taste.categories), formats.NOTHING))
    yield Fact("Model version", str(considered.version.id or "none"))
    yield Fact("Reranking", considered.reranked.state)


def _titles(considered: Considered) -> list[str]:
    return [shelf.facts(one.product).title for one in considered.context.taste.recent]


def _weights(considered: Considered) -> list[Meter]:
    """Return what each signal weighs: of the tuned mix, or of the three."""
    settings = considered.settings
    ranked = sorted((settings.mix or settings.weights).items(), key=lambda pair: -abs(pair[1]))
    return [
        Meter(_speaker(code), abs(weight), f"{weight:+.2f}" if weight < 0 else f"{weight:.2f}")
        for code, weight in ranked
    ]


def _sources(considered: Considered) -> list[Row]:
    """Return what each source proposed."""
    return [
        {
            "name": _speaker(votes.code),
            "code": votes.code,
            "family": votes.source.value,
            "count": len(votes),
            "best": shelf.facts(int(votes.products[0])).title if len(votes) else formats.NOTHING,
            "score": float(votes.scores[0]) if len(votes) else None,
        }
        for votes in considered.votes
    ]


def _speaker(code: str) -> str:
    return SPEAKERS.get(code, code.replace("_", " ").capitalize())


def _stages(considered: Considered) -> list[tuple[str, str, str]]:
    """Return the four stages: name, count, and what is done."""
    proposed = len({int(one) for votes in considered.votes for one in votes.products})
    shown = len(considered.shown)
    return [
        ("1 Candidates", formats.number(proposed), f"proposed by {formats.plural(len(considered.votes), 'source')}"),
        ("2 Scoring", formats.number(len(considered.scored)), "kept, best first"),
        ("3 Reranking", considered.reranked.state.partition(":")[0], considered.reranked.state.partition(": ")[2]),
        ("4 Rules", formats.number(shown), "shown, after stock, rules and shares"),
    ]


def _shown(explained: Explanation) -> Iterator[Row]:
    for one in explained.shown:
        yield _row(one) | {"place": one.position, "reason": one.reason.text if one.reason else one.rule}


def _left_out(explained: Explanation) -> Iterator[Row]:
    close = [one for one in explained.candidates if one.position is None]
    for one in close[:LEFT_OUT]:
        yield _row(one) | {"reason": explained.why_not(one.product.product_id).in_words}


def _row(one: Candidate) -> dict[str, Any]:
    return {
        "product_id": one.product.product_id,
        "title": one.product.title,
        "score": one.score,
        "content": one.content,
        "collaborative": one.collaborative,
        "popularity": one.popularity,
        "rerank": one.rerank,
        "scored_at": one.scored_place,
        "reranked_at": one.ranked_place,
    }


PAGE = Page(
    "explain",
    "Explain",
    "Why is this shown here, and why is that not?",
    build,
    tables,
    has_period=False,
    section="Understand",
)
