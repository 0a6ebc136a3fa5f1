"""Why a product is not in a list: each filter, rule and score that keeps it out, found by asking the pipeline again.

What merchandising and diversity did is told by counterfactual: the same rules are applied without the one in question,
and if the product is shown then, that one was the reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import Q
from django.utils import timezone

from catalog.models import CATEGORY_SEPARATOR
from interactions.models import Interaction
from recommendations import pipeline, popular
from recommendations.configuration import OWNED_DAYS
from recommendations.contracts import Placement, ProductFacts, Rule, RuleAction, Scored, Source
from recommendations.pipeline import Considered
from recommendations.shelf import shelf
from recommendations.vectors import Vector, vectors

Names = Callable[[Sequence[Rule]], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One reason against a product: a constant code, a sentence for people, and the figures behind it.

    Codes: `unknown`, `inactive`, `out_of_stock`, `asked_about`, `in_cart`, `excluded`, `bought`, `category`, `price`,
    `hidden`, `buried`, `category_share`, `brand_share`, `pinned_over`, `not_together`, `score`, `depth`,
    `not_proposed`.
    """

    code: str
    text: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Where a product stands in a list: at `position`, or kept out by every one of `hindrances`, the first one first.

    `score` is its final score, `last_score` that of the last one shown, both None where there is none; `place` is its
    place among the ranked candidates. `would_be` holds the signals it would have had, where no source proposed it and
    they can be computed: `content`, `collaborative`, `popularity` in [0, 1], and the `score` they make.
    """

    product_id: str
    title: str
    position: int | None
    hindrances: tuple[Hindrance, ...]
    score: float | None = None
    place: int | None = None
    last_score: float | None = None
    would_be: Mapping[str, float] = field(default_factory=dict)

    @property
    def in_words(self) -> str:
        """Return one sentence, or several."""
        if self.position is not None:
            return f"It is shown, at position {self.position}."
        return " ".join(one.text for one in self.hindrances)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self) | {"in_words": self.in_words}


def why_not(considered: Considered, product_id: str, *, rule_names: Names) -> WhyNot:
    """Say where the product with the shop's id stands in this list, or why it does not stand there. A query or two."""
    product = shelf.id_of(product_id)
    if product is None:
        text = "The catalogue has no product with this id: it was not synchronised yet, or the id is wrong."
        return WhyNot(product_id, "", None, (Hindrance("unknown", text),))
    facts = shelf.facts(product)
    places = [one.product for one in considered.shown]
    position = places.index(product) + 1 if product in places else None
    ranked = {one.product: (place, one) for place, one in enumerate(considered.reranked.ranked, start=1)}
    place, scored = ranked.get(product, (None, None))
    last = min((one.score for one in considered.shown if one.loudest != "pinned"), default=None)
    found: list[Hindrance] = []
    would_be: Mapping[str, float] = {}
    if position is None:
        found = [*_filtered(considered, facts), *_hidden(considered, product, rule_names)]
        if not found and scored is not None:
            found = _outranked(considered, facts, scored, place or 0, last, rule_names)
        elif not found:
            found, would_be = _unproposed(considered, facts, last)
    return WhyNot(
        product_id, facts.title, position, tuple(found), scored.score if scored else None, place, last, would_be
    )  # fmt: skip


def _filtered(considered: Considered, facts: ProductFacts) -> list[Hindrance]:
    """Return what keeps the product out before anything is scored: availability, the context, the caller's filters."""
    query, context, found = considered.context.query, considered.context, []
    if not facts.available:
        found.append(
            Hindrance("out_of_stock", "It is out of stock.")
            if facts.stock == 0
            else Hindrance("inactive", "It is inactive in the catalogue.")
        )
    if facts.id in context.anchors:
        cart = query.placement is Placement.CART
        found.append(
            Hindrance("in_cart", "It is in the cart.") if cart else Hindrance("asked_about", "The list is about it.")
        )
    if facts.product_id in query.exclude:
        found.append(Hindrance("excluded", "The caller excluded it."))
    if facts.id in context.barred and facts.id in context.taste.owned:
        found.append(_bought(considered, facts))
    filters = query.filters
    if filters.category and not f"{facts.category}{CATEGORY_SEPARATOR}".startswith(
        filters.category + CATEGORY_SEPARATOR
    ):
        text = f"The list is for {filters.category} only, and it is in {facts.category or 'no category'}."
        found.append(Hindrance("category", text, {"asked": filters.category, "is": facts.category}))
    if not _within(facts, filters.min_price, filters.max_price):
        price = "has no price" if facts.price is None else f"costs {facts.price:.2f}"
        low, high = (str(one) if one is not None else "any" for one in (filters.min_price, filters.max_price))
        text = f"The list is for prices from {low} to {high}, and it {price}."
        found.append(Hindrance("price", text, {"min": low, "max": high}))
    return found


def _within(facts: ProductFacts, low: Any, high: Any) -> bool:
    if low is None and high is None:
        return True
    return facts.price is not None and (low is None or facts.price >= low) and (high is None or facts.price <= high)


def _bought(considered: Considered, facts: ProductFacts) -> Hindrance:
    query = considered.context.query
    mine = Q(user_id=query.user_id or None) | Q(session_id=query.session_id or None, user_id=None)
    until = query.as_of or timezone.now() + timedelta(days=1)
    purchases = Interaction.objects.filter(
        mine, interaction_type="purchase", product_id=facts.product_id, occurred_at__lt=until
    )
    latest = purchases.order_by("-occurred_at").values_list("occurred_at", flat=True).first()
    day = f"on {latest:%Y-%m-%d}" if latest else "lately"
    text = f"The shopper bought it {day}; the homepage leaves out what was bought within {OWNED_DAYS} days."
    return Hindrance("bought", text, {"bought_at": latest.isoformat() if latest else None})


def _hidden(considered: Considered, product: int, rule_names: Names) -> list[Hindrance]:
    rule = _rule(considered, product)
    if rule is None or rule.action is not RuleAction.HIDE:
        return []
    name = rule_names([rule])[rule.id]
    return [Hindrance("hidden", f"The merchandising rule “{name}” hides it.", {"rule": name, "id": rule.id})]


def _outranked(
    considered: Considered, facts: ProductFacts, scored: Scored, place: int, last: float | None, rule_names: Names
) -> list[Hindrance]:
    """Return why a product that was scored is not shown: a rule, a share, pins in its place, or its score."""
    found = []
    rule = _rule(considered, facts.id)
    if rule is not None and rule.action is RuleAction.BURY:
        name = rule_names([rule])[rule.id]
        text = f"The merchandising rule “{name}” buries it: it comes after everything else."
        found.append(Hindrance("buried", text, {"rule": name, "id": rule.id}))
    settings = considered.settings
    for code, what, share, group, lifted in (
        ("category_share", "category", settings.category_share, facts.category, replace(settings, category_share=1.0)),
        ("brand_share", "brand", settings.brand_share, facts.brand, replace(settings, brand_share=1.0)),
    ):
        if share < 1 and _is_shown(replace(considered, settings=lifted), facts.id):
            text = f"Its {what}, {group}, already fills its share of the list: {share:.0%} at most, for variety."
            found.append(Hindrance(code, text, {"share": share, what: group}))
    if considered.pinnable and _is_shown(replace(considered, pinnable=()), facts.id):
        found.append(Hindrance("pinned_over", "Pinned products take the places that it would have had."))
    if found:
        return found
    if considered.context.query.placement is Placement.BOUGHT_TOGETHER and scored.collaborative == 0:
        text = "It was never bought together with the product, or too seldom; what was comes first."
        found.append(Hindrance("not_together", text))
    figures = {"score": round(scored.score, 6), "last_shown": last and round(last, 6), "place": place}
    text = f"Its score, {scored.score:.3f}, is below that of the last one shown, {last or 0:.3f}; it ranks {place}."
    return [*found, Hindrance("score", text, figures)]


def _unproposed(
    considered: Considered, facts: ProductFacts, last: float | None
) -> tuple[list[Hindrance], Mapping[str, float]]:
    """Return why a product never came to be ranked, and what its signals would have been."""
    spoken = [one for one in considered.votes if facts.id in one.products]
    if spoken:
        lowest = considered.scored[-1].score if considered.scored else 0.0
        names = ", ".join(sorted(one.code for one in spoken))
        text = (
            f"It was proposed ({names}), and fell behind the best {len(considered.scored)}, which end at {lowest:.3f}."
        )
        return [Hindrance("depth", text, {"proposed_by": names, "lowest": round(lowest, 6)})], {}
    asked = ", ".join(one.code for one in considered.votes)
    would_be = _would_be(considered, facts)
    text = f"No source proposed it (asked: {asked.replace('_', ' ')})."
    if "score" in would_be:
        text += f" With its own signals it would have scored {would_be['score']:.3f}"
        text += f", and the last one shown has {last:.3f}." if last is not None else "."
    return [Hindrance("not_proposed", text, {"asked": asked})], would_be


def _would_be(considered: Considered, facts: ProductFacts) -> dict[str, float]:
    """Return the signals of a product that nobody proposed: its cosine and popularity beside the best candidate's.

    Neighbours do not know it, so its collaborative signal is 0. The score is there for the default blend only: in a
    mix, signals depend on what all of them say.
    """
    found = {"collaborative": 0.0}
    target = _target(considered)
    vector = vectors.of([facts.id]).get(facts.id)
    for one in considered.votes:
        best = float(one.scores.max()) if len(one) else 0.0
        if best <= 0 or one.absolute:
            continue
        if one.source is Source.CONTENT and target is not None and vector is not None:
            cosine = float(np.dot(target, vector) / (np.linalg.norm(target) * np.linalg.norm(vector) or 1.0))
            found.setdefault("content", round(min(max(cosine / best, 0.0), 1.0), 6))
        if one.source is Source.POPULARITY:
            liked = float(popular.scores_of(np.array([facts.id]), as_of=considered.context.query.as_of)[0])
            found["popularity"] = round(min(liked / best, 1.0), 6)
    if not considered.settings.mix:
        weights = considered.settings.weights
        found["score"] = round(sum(weights.get(name, 0.0) * value for name, value in found.items()), 6)
    return found


def _target(considered: Considered) -> Vector | None:
    """Return the vector that content is compared with: the shopper's taste, or the mean of the product or the cart."""
    context = considered.context
    if not context.anchors:
        return context.taste.vector
    known = list(vectors.of(context.anchors).values())
    return np.mean(known, axis=0) if known else None


def _is_shown(considered: Considered, product: int) -> bool:
    """Tell whether the product would be shown if the list had come about as `considered` says."""
    return any(one.product == product for one in pipeline.applied(considered, considered.reranked.ranked))


def _rule(considered: Considered, product: int) -> Rule | None:
    return considered.context.verdicts.of([product], shelf).get(product)
