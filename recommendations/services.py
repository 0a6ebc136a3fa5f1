"""What callers ask of the engine: a list, answered and remembered."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from recommendations import experiments, metrics, pipeline
from recommendations.contracts import Placement, Query, Recommendations
from recommendations.models import ServedList
from recommendations.recorder import recorder

CONTEXTS = {
    Placement.HOMEPAGE: "homepage",
    Placement.PRODUCT: "product_page",
    Placement.BOUGHT_TOGETHER: "product_page",
    Placement.CART: "cart",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A list with the id by which impressions, clicks and purchases are joined to it."""

    request_id: uuid.UUID
    context: str
    answer: Recommendations
    milliseconds: float = 0.0
    variant: str = ""


def serve_recommendations(query: Query) -> Served:
    """Answer `query` and remember what was served."""
    began = time.perf_counter()
    assigned = experiments.assign(query)
    answer = pipeline.recommend(query, variant=assigned.variant if assigned else None)
    seconds = time.perf_counter() - began
    served = Served(uuid.uuid4(), CONTEXTS[query.placement], answer, seconds * 1000, assigned.label if assigned else "")
    remember(served, milliseconds=seconds * 1000)
    metrics.LIST_SECONDS.labels(query.placement.value, answer.strategy.value).observe(seconds)
    if len(answer.items) < query.limit:
        metrics.LISTS_SHORT.labels(query.placement.value).inc()
    return served


def remember(served: Served, *, milliseconds: float, placement: str = "") -> None:
    """Hand a list to the recorder."""
    query, answer = served.answer.query, served.answer
    recorder.remember(
        ServedList(
            request_id=served.request_id,
            served_at=timezone.now(),
            placement=placement or query.placement.value,
            context=served.context,
            strategy=answer.strategy.value,
            user_id=query.user_id,
            session_id=query.session_id,
            anchors=list(query.anchors),
            products=[item.facts.product_id for item in answer.items],
            scores=[item.scored.score for item in answer.items],
            model_version=answer.model_version,
            variant=served.variant,
            asked_for=query.limit,
            milliseconds=milliseconds,
        )
    )


def keep_mail_list(
    *,
    request_id: uuid.UUID,
    user_id: str,
    products: Sequence[str],
    scores: Sequence[float],
    anchors: Sequence[str],
    strategy: str,
    model_version: int | None,
    variant: str,
    campaign: str,
) -> None:
    """Keep the products of a mail as a served list, in the caller's transaction: either both are there, or neither.

    A mail is no request that must not wait, and one that left without its list could never be told what it earned.
    """
    ServedList.objects.create(
        request_id=request_id,
        served_at=timezone.now(),
        placement="email",
        context="email",
        strategy=strategy,
        user_id=user_id,
        session_id="",
        anchors=list(anchors),
        products=list(products),
        scores=list(scores),
        model_version=model_version,
        variant=variant,
        campaign=campaign,
        milliseconds=0.0,
    )
