"""Stage 1 for a tuned placement: only the signals that its mix names are asked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from django.utils import timezone

from recommendations import levels, popular
from recommendations.candidates import Context
from recommendations.candidates.collaborative import (
    Summed,
    bought_with_anchors,
    due_again,
    neighbours_of_anchors,
    neighbours_of_recent,
    similar_shoppers,
    summed,
)
from recommendations.candidates.content import near_anchors, near_taste
from recommendations.candidates.popularity import most_popular
from recommendations.contracts import Ids, Placement, Source, Votes
from recommendations.history import Profile, profile_from, profile_of
from recommendations.leading import distinct, leading
from recommendations.neighbours import lists_of_kinds
from recommendations.repeats import OwnHistory, own_signals
from recommendations.signals import BOUGHT_BEFORE, PROFILE_HALF_LIFE, PROPOSED, SIGNALS, TRENDS, Form
from recommendations.visit_index import visits_of

# Where a version knows no usual interval of a product.
USUAL_DAYS = 30.0
# What goes by all that a shopper dealt with.
FROM_PROFILE = (Form.LIST, Form.OWN, Form.VISITS)
SOURCES: Mapping[str, Callable[[Context], Votes | None]] = {
    "taste": near_taste,
    "neighbours": neighbours_of_recent,
    "similar_shoppers": similar_shoppers,
    "near_anchors": near_anchors,
    "together": bought_with_anchors,
    "also_viewed": neighbours_of_anchors,
}


def propose_mix(context: Context, mix: Mapping[str, float], *, event_weights: Mapping[str, float]) -> tuple[Votes, ...]:
    """Return one vote for each signal of the mix that has something to say, its code that of the signal.

    Each proposes its best 40, and all of them speak of whatever any of them proposed. What is popular fills up.
    At most two queries more than the default blend: the profile of a shopper with more events than a request reads, and
    neighbour lists that are not kept yet.
    """
    asked = {form: [code for code in mix if SIGNALS[code].form is form] for form in Form}
    found = [one for one in _personal(context, asked, event_weights) if len(one)]
    heads = [_head(one) for one in found] + [_level_head(context, code) for code in asked[Form.LEVEL]]
    filler = most_popular(context, np.zeros(0, np.int64))
    if "popular" in mix:
        heads.append(_head(filler))
    products = distinct(np.concatenate([np.zeros(0, np.int64), *heads]))
    said = [_speaking_of(one, products) for one in found]
    said += [_level(context, code, products) for code in asked[Form.LEVEL]]
    chosen = distinct(np.concatenate([products, filler.products]))
    nothing = np.zeros(len(chosen), np.int64)
    liked = np.sqrt(popular.scores_of(chosen, as_of=context.query.as_of))
    return (*said, Votes(Source.POPULARITY, "popular", chosen, liked, nothing, nothing, absolute=True))


def _personal(context: Context, asked: Mapping[Form, list[str]], event_weights: Mapping[str, float]) -> Iterator[Votes]:
    for code in asked[Form.SOURCE]:
        if code in SOURCES and (one := SOURCES[code](context)) is not None:
            yield replace(one, code=code)
    if (due := due_again(context)) is not None:
        yield due
    profile = None
    if context.query.placement is Placement.HOMEPAGE and any(asked[form] for form in FROM_PROFILE):
        profile = _profile(context, event_weights)
        yield from _own(context, asked[Form.OWN], profile)
    yield from _lists(context, asked[Form.LIST], _interest(context, profile))
    yield from _shoppers(context, asked[Form.SHOPPERS])
    yield from _visits(context, asked[Form.VISITS], _interest(context, profile))


def _profile(context: Context, event_weights: Mapping[str, float]) -> Profile:
    now = context.query.as_of or timezone.now()
    if context.known.whole:
        return profile_from(context.known.events, now=now, event_weights=event_weights, half_life=PROFILE_HALF_LIFE)
    return profile_of(context.query, now=now, event_weights=event_weights, half_life=PROFILE_HALF_LIFE)


def _interest(context: Context, profile: Profile | None) -> dict[int, float]:
    if profile is None:
        return dict.fromkeys(context.anchors, 1.0)
    return dict(zip(profile.products.tolist(), profile.weights.tolist(), strict=True))


def _lists(context: Context, codes: list[str], interest: Mapping[int, float]) -> Iterator[Votes]:
    kinds = sorted({SIGNALS[code].kind for code in codes})
    if not kinds or not interest:
        return
    rows = lists_of_kinds(context.version, kinds, interest, present=context.is_present)
    for code in codes:
        signal = SIGNALS[code]
        found = summed(rows[signal.kind], interest, power=signal.power)
        yield _showable(context, code, found)


def _shoppers(context: Context, codes: list[str]) -> Iterator[Votes]:
    for code in codes:
        found = context.neighbourhoods.get(code)
        if found is not None:
            nothing = np.zeros(len(found.products), np.int64)
            yield _showable(context, code, Summed(found.products, found.scores, found.supports, nothing))


def _visits(context: Context, codes: list[str], interest: Mapping[int, float]) -> Iterator[Votes]:
    if not codes or not interest:
        return
    held, weights = np.array(list(interest), np.int64), np.array(list(interest.values()))
    products, totals, counts = visits_of(context.version).next_of(held, weights)
    for code in codes:
        yield _showable(context, code, Summed(products, totals, counts, np.zeros(len(products), np.int64)))


def _own(context: Context, codes: list[str], profile: Profile) -> Iterator[Votes]:
    bought = np.flatnonzero(profile.orders > 0)
    if not codes or len(bought) == 0:
        return
    products = profile.products[bought]
    history = OwnHistory(
        orders=profile.orders[bought],
        all_orders=np.full(len(bought), float(profile.all_orders)),
        first_age=profile.first_age[bought],
        last_age=profile.last_age[bought],
        usual=levels.values_of(context.version, "interval", products, otherwise=USUAL_DAYS),
    )
    values = own_signals(history) | {BOUGHT_BEFORE: np.ones(len(bought))}
    if context.restock.due:
        values[BOUGHT_BEFORE] = (~np.isin(products, list(context.restock.due))).astype(np.float64)
    for code in codes:
        own = Summed(products, values[code], profile.orders[bought].astype(np.int64), products)
        yield replace(_showable(context, code, own), absolute=True)


def _showable(context: Context, code: str, found: Summed) -> Votes:
    """Return votes for everything that may be shown; unlike the default blend's, they are not cut at a depth."""
    kept = context.may_show(found.products) & (found.totals > 0)
    source = SIGNALS[code].source
    return Votes(
        source, code, found.products[kept], found.totals[kept], found.supports[kept], found.because[kept]
    )  # fmt: skip


def _head(one: Votes) -> Ids:
    if one.code == BOUGHT_BEFORE:
        return np.zeros(0, np.int64)
    return one.products[leading(one.products, one.scores, PROPOSED)]


def _level_head(context: Context, code: str) -> Ids:
    """Return where a level is highest; a trend only judges, it proposes nothing."""
    if code in TRENDS:
        return np.zeros(0, np.int64)
    best = levels.best_of(context.version, SIGNALS[code].kind)
    return best[context.may_show(best)][:PROPOSED]


def _level(context: Context, code: str, products: Ids) -> Votes:
    values = levels.values_of(context.version, SIGNALS[code].kind, products)
    nothing = np.zeros(len(products), np.int64)
    return Votes(Source.POPULARITY, code, products, values, nothing, nothing, absolute=True)


def _speaking_of(one: Votes, products: Ids) -> Votes:
    """Return the vote on these products only, which are in ascending order; its best one is among them."""
    places = np.searchsorted(products, one.products)
    # One more, which is nobody's id, so that every place is one.
    kept = np.flatnonzero(np.append(products, -1)[places] == one.products)
    return replace(
        one,
        products=one.products[kept],
        scores=one.scores[kept],
        supports=one.supports[kept],
        because=one.because[kept],
    )
