"""Answers as plain data, ready for JSON."""

from collections.abc import Iterable
from typing import Any

from recommendations.contracts import Item
from recommendations.services import Served


def list_answer(served: Served) -> dict[str, Any]:
    """Return the body of a list endpoint."""
    return {
        "request_id": str(served.request_id),
        "context": served.context,
        "strategy": served.answer.strategy.value,
        "model_version": served.answer.model_version,
        "rerank": served.answer.rerank_state,
        "variant": served.variant or None,
        "items": item_answers(served.answer.items),
    }


def item_answers(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Return the entries of a list, with positions from 1."""
    return [_item(item, position) for position, item in enumerate(items, start=1)]


def _item(item: Item, position: int) -> dict[str, Any]:
    scored, facts, reason = item.scored, item.facts, item.reason
    return {
        "product_id": facts.product_id,
        "position": position,
        "score": round(scored.score, 6),
        "signals": {
            "content": round(scored.content, 6),
            "collaborative": round(scored.collaborative, 6),
            "popularity": round(scored.popularity, 6),
            "rerank": None if scored.rerank is None else round(scored.rerank, 6),
        },
        "reason": {"code": reason.code, "text": reason.text, "product_id": reason.product_id},
        "product": {
            "title": facts.title,
            "category": facts.category,
            "brand": facts.brand,
            "price": None if facts.price is None else f"{facts.price:.2f}",
            "currency": facts.currency,
            "image_url": facts.image_url,
            "url": facts.url,
            "in_stock": facts.available,
        },
    }
