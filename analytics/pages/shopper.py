"""Page 7: one shopper: what they did, what was learned of it, and what they would be shown now."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import EVENTS, PLACEMENTS, STRATEGIES
from analytics.pages.page import PERSONAL, VIEW, Asked, Page
from analytics.pages.parts import Empty, Fact, Meter
from analytics.pages.tables import Table
from analytics.people import Timeline, conversions_of, latest_shoppers, timeline_of
from interactions.models import Shopper
from interactions.selectors import learned_of
from recommendations import pipeline
from recommendations.contracts import Placement, Query
from recommendations.models import ServedList
from recommendations.pipeline import Considered
from recommendations.selectors import event_weights
from recommendations.shelf import shelf

SHOWN = 12
TOP = 6


def build(asked: Asked) -> Mapping[str, Any]:
    """Return what is known of the chosen shopper or session, or whom one may choose."""
    user, session = _subject(asked)
    if not user and not session:
        return {"latest": latest_shoppers(limit=10)}
    considered = pipeline.consider(Query(Placement.HOMEPAGE, SHOWN, user_id=user, session_id=session))
    profile = Shopper.objects.filter(user_id=user).first() if user else None
    return {
        "user_id": user,
        "session_id": session,
        "who": profile.name if profile and profile.name else user or f"Visit {session}",
        "profile": list(_profile(profile, user)),
        "categories": _categories(considered),
        "recent": _recent(considered),
        "nearest": _nearest(considered),
        "shown": pipeline.answered(considered),
        "strategy": STRATEGIES.get((answer := pipeline.answered(considered)).strategy, answer.strategy),
        "explain": f"{reverse('admin:analytics_explain')}?{urlencode({'user': user, 'session': session})}",
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return what the shopper did, was served and bought because of it."""
    user, session = _subject(asked)
    events = (
        Column("occurred_at", "When", "moment"),
        Column("kind", "What", labels=EVENTS),
        Column("title", "Product", "product"),
        Column("detail", "Detail", wide=True),
    )
    lists = (
        Column("served_at", "When", "moment"),
        Column("placement", "Placement", labels=PLACEMENTS),
        Column("strategy", "Strategy", labels=STRATEGIES),
        Column("length", "Products", "number"),
        Column("variant", "Variant"),
        Column("milliseconds", "Took", "milliseconds"),
    )
    credited = (
        Column("purchased_at", "Bought", "moment"),
        Column("title", "Product", "product"),
        Column("kind", "Credit"),
        Column("revenue", "Revenue", "money"),
    )
    return {
        "events": Table(
            "events",
            "What they did",
            events,
            lambda most: map(_event, timeline_of(user, session, limit=most)),
            ranked=True,
            shown=30,
            empty=Empty("Nothing is known of them.", "No event carries this id."),
        ),
        "lists": Table(
            "lists",
            "What they were served",
            lists,
            lambda most: _lists(user, session, most),
            ranked=True,
            shown=10,
            empty=Empty("No list was served to them."),
        ),
        "credited": Table(
            "credited",
            "What recommendations are credited with",
            credited,
            lambda most: conversions_of(user, limit=most) if user else [],
            ranked=True,
            shown=10,
            empty=Empty("No purchase of theirs is credited to a recommendation."),
        ),
    }


def _subject(asked: Asked) -> tuple[str, str]:
    get = asked.request.GET
    return get.get("user", "").strip()[:128], get.get("session", "").strip()[:128]


def _profile(profile: Shopper | None, user: str) -> Iterator[Fact]:
    yield Fact("Id in the shop", user or "not signed in")
    if profile:
        yield Fact("E-mail", profile.email or formats.NOTHING)
        yield Fact("Marketing e-mail", "agreed" if profile.marketing_consent else "not agreed")
        yield Fact("Known since", formats.moment(profile.created_at))
    if user:
        learned = learned_of(user, weights=dict(event_weights()), now=timezone.now())
        if learned.lowest_price is not None and learned.highest_price is not None:
            low, high = (
                formats.money(price, learned.currency) for price in (learned.lowest_price, learned.highest_price)
            )
            yield Fact("Price band", f"{low} to {high}")


def _categories(considered: Considered) -> list[Meter]:
    """Return the strongest categories, as shares of all that is liked."""
    liked = {path: weight for path, weight in considered.context.taste.categories.items() if weight > 0}
    everything = sum(liked.values())
    return [
        Meter(path, weight / everything, formats.percent(weight / everything))
        for path, weight in list(liked.items())[:TOP]
    ]


def _recent(considered: Considered) -> list[Row]:
    """Return the products that speak for the shopper most, with what they did."""
    recent = considered.context.taste.recent[:TOP]
    return [
        {
            "facts": shelf.facts(one.product),
            "deed": EVENTS.get(one.kind, one.kind),
            "at": one.occurred_at,
            "weight": one.weight,
        }
        for one in recent
    ]


def _nearest(considered: Considered) -> list[Row]:
    """Return the products whose texts are nearest to the taste."""
    for votes in considered.votes:
        if votes.code == "taste":
            nearest = zip(votes.products[:TOP].tolist(), votes.scores[:TOP].tolist(), strict=True)
            return [{"facts": shelf.facts(product), "score": score} for product, score in nearest]
    return []


def _event(one: Timeline) -> Row:
    return {
        "occurred_at": one.occurred_at,
        "kind": one.kind,
        "product_id": one.product_id,
        "title": one.title,
        "detail": one.detail,
    }


def _lists(user: str, session: str, most: int | None) -> Iterator[Row]:
    rows = ServedList.objects.filter(user_id=user) if user else ServedList.objects.filter(session_id=session)
    for one in rows.order_by("-served_at", "-request_id")[:most]:
        yield {
            "served_at": one.served_at,
            "placement": one.placement,
            "strategy": one.strategy,
            "length": len(one.products),
            "variant": one.variant,
            "milliseconds": one.milliseconds,
        }


PAGE = Page(
    "shopper",
    "Shopper",
    "Who is this, what was learned of them, and what would they be shown now?",
    build,
    tables,
    has_period=False,
    permissions=(VIEW, PERSONAL),
    section="Understand",
)
