"""Why a product is not in a list: the first reason, in the order in which the pipeline would have met it.

The list was really made, by the live pipeline; this only reads what each stage handed on.
"""

from collections import Counter
from dataclasses import dataclass

from catalog.models import Product
from recommendations.contracts import RuleAction
from recommendations.models import MerchandisingRule
from recommendations.pipeline import Considered
from recommendations.rules import share_of
from recommendations.shelf import shelf


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The stage that decided, in a word, and the whole reason; `shown` where the question was mistaken."""

    stage: str
    reason: str
    shown: bool = False


def why_not(considered: Considered, product_id: str) -> WhyNot:
    """Return why the product with the shop's id is not in the list that was considered. Two queries at most."""
    product = shelf.id_of(product_id)
    if product is None:
        return WhyNot("Catalogue", "The catalogue has no product with this id.")
    places = {one.product: place for place, one in enumerate(considered.shown, start=1)}
    if product in places:
        return WhyNot("Shown", f"It is shown, at place {places[product]}.", shown=True)
    return (
        _not_available(product_id, product)
        or _barred(considered, product)
        or _ruled_out(considered, product)
        or (_not_proposed(considered, product))
    )


def _not_available(product_id: str, product: int) -> WhyNot | None:
    if shelf.facts(product).available:
        return None
    if not Product.objects.filter(product_id=product_id, is_active=True).exists():
        return WhyNot("Catalogue", "It is inactive: the shop no longer sells it.")
    return WhyNot("Catalogue", "It is out of stock.")


def _barred(considered: Considered, product: int) -> WhyNot | None:
    context = considered.context
    if product in context.anchors:
        return WhyNot("Query", "It is what the list is about.")
    if product in context.barred and product in context.taste.owned:
        return WhyNot("Query", "The shopper bought it in the last 30 days.")
    if product in context.barred:
        return WhyNot("Query", "The caller left it out.")
    slot = shelf.slots_of([product])[0]
    if not shelf.eligible(context.filters)[slot]:
        return WhyNot("Query", "It is outside of the category or the prices that were asked for.")
    return None


def _ruled_out(considered: Considered, product: int) -> WhyNot | None:
    rule = considered.context.verdicts.of([product], shelf).get(product)
    if rule is None or rule.action is not RuleAction.HIDE:
        return None
    name = MerchandisingRule.objects.filter(pk=rule.id).values_list("name", flat=True).first()
    return WhyNot("Merchandising", f"The rule “{name}” hides it.")


def _not_proposed(considered: Considered, product: int) -> WhyNot:
    speakers = [votes.code for votes in considered.votes if product in votes.products]
    ranks = {one.product: (place, one) for place, one in enumerate(considered.reranked.ranked, start=1)}
    if not speakers:
        text = "No source proposed it: nothing that is known of the shopper or of the product asked about leads to it."
        return WhyNot("Candidates", text)
    if product not in ranks:
        text = f"It was proposed ({', '.join(speakers)}), but {len(ranks)} others scored higher."
        return WhyNot("Scoring", text)
    place, one = ranks[product]
    return _crowded_out(considered, product) or WhyNot(
        "Ranking",
        f"It stands at place {place} with a score of {one.score:.3f}; the list ends after "
        f"{len(considered.shown)}, at {considered.shown[-1].score:.3f}."
        if considered.shown
        else "The list is empty.",
    )


def _crowded_out(considered: Considered, product: int) -> WhyNot | None:
    """Return the share that turned it away, where something that ranks lower is shown."""
    order = [one.product for one in considered.reranked.ranked]
    place = order.index(product)
    if all(order.index(one.product) < place for one in considered.shown if one.product in order):
        return None
    fact, limit = considered.facts[product], considered.context.query.limit
    shown = [considered.facts[one.product] for one in considered.shown]
    rule = considered.context.verdicts.of([product], shelf).get(product)
    if rule is not None and rule.action is RuleAction.BURY:
        name = MerchandisingRule.objects.filter(pk=rule.id).values_list("name", flat=True).first()
        return WhyNot("Merchandising", f"The rule “{name}” buries it.")
    shares = (("category", considered.settings.category_share), ("brand", considered.settings.brand_share))
    for kind, share in shares:
        most, own = share_of(limit, share), getattr(fact, kind)
        if own and Counter(getattr(one, kind) for one in shown)[own] >= most:
            return WhyNot("Diversity", f"Its {kind}, “{own}”, has its {most} of {limit} places already.")
    return None
