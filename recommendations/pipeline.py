"""A request, in a straight line: read the taste, propose, blend, rerank, apply the rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from django.utils import timezone

from recommendations import levels, merchandising, person, reasons, reranking, rules, scoring, taste
from recommendations.candidates import Context
from recommendations.candidates.mixed import propose_mix
from recommendations.candidates.propose import propose
from recommendations.configuration import DEFAULT_RESCALE, EngineSettings, from_json, overruled
from recommendations.contracts import (
    Item,
    Placement,
    PlacementSettings,
    ProductFacts,
    Query,
    Recommendations,
    Rule,
    RuleAction,
    Scored,
    Strategy,
    Taste,
    Votes,
)
from recommendations.experiments import Variant
from recommendations.merchandising import Verdicts
from recommendations.metrics import Laps
from recommendations.person import Person
from recommendations.ranking import Ranking
from recommendations.reranking import Reranked
from recommendations.restock import NOTHING as NO_RESTOCK
from recommendations.restock import Restock, restock
from recommendations.selectors import event_weights, placement_overrides
from recommendations.shelf import ActiveVersion, shelf

# Where rules move products, more of them have to be ranked than are shown.
DEEPER = 4 * scoring.DEPTH


@dataclass(frozen=True, slots=True)
class Considered:
    """How one list came about: what each stage handed to the next. For whoever explains, measures or learns from it.

    `asked_about` are the products that reranking went by, `pinnable` those that a pin may show.
    """

    context: Context
    version: ActiveVersion
    settings: PlacementSettings
    votes: tuple[Votes, ...]
    scored: Ranking
    facts: Mapping[int, ProductFacts]
    pinnable: Sequence[int]
    asked_about: tuple[int, ...]
    reranked: Reranked
    shown: tuple[Scored, ...]


class KnownFacts(dict[int, ProductFacts]):
    """Facts of products as the shelf has them when a request looks at them first; they stay so until it ends."""

    def __missing__(self, product: int) -> ProductFacts:
        self[product] = found = shelf.facts(product)
        return found


def recommend(
    query: Query,
    *,
    version: ActiveVersion | None = None,
    rules_instead: Sequence[Rule] | None = None,
    weights_instead: Mapping[str, float] | None = None,
    variant: Variant | None = None,
) -> Recommendations:
    """Answer one query.

    `version` overrules the active model version, and what the admin decided about placements: for evaluation and
    exports. `rules_instead` takes the place of the merchandising rules, those that are live and those that are not,
    and `weights_instead` that of the event weights, the taste being recounted from the latest events: for previews.
    `variant` is the experiment's that the shopper is in.
    """
    considered = consider(
        query, version=version, rules_instead=rules_instead, weights_instead=weights_instead, variant=variant
    )
    return answered(considered)


def consider(
    query: Query,
    *,
    version: ActiveVersion | None = None,
    rules_instead: Sequence[Rule] | None = None,
    weights_instead: Mapping[str, float] | None = None,
    stage: reranking.Stage | None = None,
    variant: Variant | None = None,
) -> Considered:
    """Take one query through all stages, and keep what each of them made. `stage` overrules how reranking stands."""
    laps = Laps()
    instead = version or (variant.version if variant else None)
    active, known = person.read(query, version=instead.id if instead else None)
    chosen_settings = version.settings if version else overruled((instead or active).settings, placement_overrides())
    if variant is not None:
        chosen_settings = overruled(chosen_settings, {query.placement: variant.settings})
        rules_instead = rules_instead if variant.merchandising else ()
    version = instead or active
    weights = event_weights() if weights_instead is None else weights_instead
    if weights_instead is not None:
        known = replace(known, stored=(), rewritten=True)
    chosen = merchandising.rules_of(active) if rules_instead is None else rules_instead
    now = query.as_of or timezone.now()
    live = merchandising.live(chosen, query.placement, now)

    liked = taste.of(known, now=now, event_weights=weights)
    again = _restock(query, known, version.id, now)
    context = _context(query, liked, known, version.id, merchandising.verdicts_of(live, shelf), again)
    settings = _settings(from_json(chosen_settings), context)
    laps.end("read")
    votes = (
        propose_mix(context, settings.mix, event_weights=weights) if settings.mix else propose(context)
    )  # fmt: skip
    laps.end("propose")
    # What was bought together has a low score beside much that reads alike, and comes first all the same.
    deep = live or _together_first(query, settings)
    scored = scoring.blend(votes, settings, depth=DEEPER if deep else scoring.DEPTH)
    laps.end("blend")
    pinnable = _pinnable(context)
    facts = KnownFacts()
    stage = stage or reranking.stage_of(query, settings, shelf.facts)
    asked_about = _asked_about(context)
    reranked = reranking.rerank(scored, stage=stage, context=asked_about)
    laps.end("rerank")
    before = Considered(context, version, settings, votes, scored, facts, pinnable, asked_about, reranked, ())
    shown = applied(before, reranked.ranked)
    laps.end("rules")
    return replace(before, shown=shown)


def _together_first(query: Query, settings: PlacementSettings) -> bool:
    return query.placement is Placement.BOUGHT_TOGETHER and not settings.mix


def applied(considered: Considered, ranked: Sequence[Scored]) -> tuple[Scored, ...]:
    """Return what the business rules make of these ranked candidates."""
    context, facts, query = considered.context, considered.facts, considered.context.query
    return rules.apply(
        ranked,
        facts,
        barred=context.barred,
        settings=considered.settings,
        limit=query.limit,
        together_first=_together_first(query, considered.settings),
        verdicts=context.verdicts.of(_candidates(considered), shelf),
        pinnable=considered.pinnable,
    )


def _candidates(considered: Considered) -> list[int]:
    """Return everything that the rules may decide about; nothing where there is no rule."""
    return [*considered.scored.products.tolist(), *considered.pinnable] if considered.context.verdicts.rules else []


def answered(considered: Considered) -> Recommendations:
    """Return the answer: what is shown, with reasons, and how it came about in short."""
    context, facts = considered.context, considered.facts
    return Recommendations(
        query=context.query,
        strategy=_strategy(context),
        items=tuple(_item(one, facts[one.product], context) for one in considered.shown),
        model_version=considered.version.id,
        rerank_state=considered.reranked.state,
    )


def _context(
    query: Query, liked: Taste, known: Person, version: int | None, verdicts: Verdicts, again: Restock
) -> Context:
    """Put together what the sources ask for: our ids of the anchors, and everything that no list may hold.

    What was bought in the last 30 days stays away from the homepage, unless it is due to be bought again.
    """
    anchors = tuple(dict.fromkeys(shelf.ids_of(query.anchors)))
    barred = {*anchors, *shelf.ids_of(query.exclude)}
    if query.placement is Placement.HOMEPAGE and not query.include_purchased:
        barred |= (liked.owned - again.due.keys()) | again.waiting
    return Context(query, liked, shelf, version, anchors, frozenset(barred), known, verdicts, again)


def _restock(query: Query, known: Person, version: int | None, now: datetime) -> Restock:
    """Return what a homepage reminds of, and what it is too early for: nothing where repeats are shown anyway."""
    wanted = query.placement is Placement.HOMEPAGE and not query.include_purchased
    bought = np.array(sorted({event.product for event in known.events if event.kind == "purchase"}), np.int64)
    if not wanted or len(bought) == 0:
        return NO_RESTOCK
    usual = levels.values_of(version, levels.RESTOCK_DAYS, bought)
    return restock(known.events, dict(zip(bought.tolist(), usual.tolist(), strict=True)), now=now)


def _pinnable(context: Context) -> list[int]:
    """Return what pins may show here: what a list may hold, and the shopper did not buy in the last 30 days."""
    named = merchandising.pinned(context.verdicts)
    owned = () if context.query.include_purchased else context.taste.owned
    decided = context.verdicts.of(named.tolist(), shelf)
    return [
        product
        for product in named[context.may_show(named)].tolist()
        if product not in owned and decided[product].action is RuleAction.PIN
    ]


def _settings(engine: EngineSettings, context: Context) -> PlacementSettings:
    """Return the settings that answer: without a history, or without an anchor, others than usual."""
    query, liked = context.query, context.taste
    usual = engine.of_query(query)
    if query.placement is Placement.HOMEPAGE:
        return usual if liked.known_user else engine.of_newcomer(query, stranger=liked.is_empty)
    return usual if context.anchors else replace(usual, mix={}, rescale=DEFAULT_RESCALE)


def _asked_about(context: Context) -> tuple[int, ...]:
    """Return the products that reranking goes by: the anchors; else those of this visit; else the strongest recent."""
    return context.anchors or tuple(one.product for one in context.taste.visit or context.taste.recent)


def _strategy(context: Context) -> Strategy:
    """Name truthfully what was done."""
    placement = context.query.placement
    if placement is Placement.HOMEPAGE:
        if context.taste.is_empty:
            return Strategy.POPULAR
        return Strategy.PERSONALIZED if context.taste.known_user else Strategy.SESSION
    if not context.anchors:
        return Strategy.POPULAR
    return {
        Placement.PRODUCT: Strategy.SIMILAR,
        Placement.CART: Strategy.CART,
        Placement.BOUGHT_TOGETHER: Strategy.BOUGHT_TOGETHER,
    }[placement]


def _item(one: Scored, facts: ProductFacts, context: Context) -> Item:
    if one.loudest == rules.PINNED:
        return Item(one, facts, reasons.reason_for(one, facts=shelf.facts, deeds={}))
    apart = one.collaborative == 0 or (one.loudest != "together" and one.support == 0)
    if context.query.placement is Placement.BOUGHT_TOGETHER and apart:
        return Item(one, facts, reasons.complement(shelf.facts(context.anchors[0])))
    deeds = {recent.product: recent.kind for recent in context.taste.recent}
    return Item(one, facts, reasons.reason_for(one, facts=shelf.facts, deeds=deeds))
