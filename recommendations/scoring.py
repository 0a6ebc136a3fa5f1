"""Stage 2, pure: raw votes become signals in [0, 1], and signals one score. No Django here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Ids, PlacementSettings, Scores, Source, Votes
from recommendations.leading import distinct, leading
from recommendations.ranking import Loudness, Ranking
from recommendations.signals import RESTOCK, RESTOCK_WEIGHT

# What goes on to the later stages, best first.
DEPTH = 150
NAMED = 3.0


@dataclass(frozen=True, slots=True)
class Voted:
    """All votes end to end: n `products`, ascending, and for each of m entries what it says.

    `place` is the entry's product as a place in `products`, `vote` the vote it belongs to, `value` its signal in
    [0, 1].
    """

    votes: Sequence[Votes]
    products: Ids
    place: npt.NDArray[np.int64]
    vote: npt.NDArray[np.int64]
    value: Scores


def blend(found: Sequence[Votes], settings: PlacementSettings, *, depth: int = DEPTH) -> Ranking:
    """Return every voted product once, best first: score = Σ weight × signal over content, collaborative, popularity.

    A signal is the mean of its sources' rescaled votes, or what an absolute vote says, if that is more; a source that
    is silent on a product counts 0. Equal scores are ordered by our id, so the result does not depend on the order of
    votes or of candidates in them.
    """
    voted = _voted(found, settings.rescale)
    if settings.mix:
        return _mixed(voted, settings, depth)
    signals = _signals(voted)
    score = sum(
        (settings.weights.get(source, 0.0) * signals[source] for source in Source), np.zeros(len(voted.products))
    )
    loudness = _loudness(voted, [settings.weights.get(one.source, 0.0) for one in voted.votes])
    return _ranked(leading(voted.products, score, depth), voted, score, signals, loudness)


def _voted(found: Sequence[Votes], method: str) -> Voted:
    votes = [one for one in found if len(one)]
    every = np.concatenate([np.zeros(0, np.int64), *(one.products for one in votes)])
    products = distinct(every)
    values = [one.scores if one.absolute else rescale(one.scores, method) for one in votes]
    return Voted(
        votes=votes,
        products=products,
        place=np.searchsorted(products, every),
        vote=np.repeat(np.arange(len(votes)), np.array([len(one) for one in votes], np.int64)),
        value=np.concatenate([np.zeros(0), *values]),
    )


def _mixed(voted: Voted, settings: PlacementSettings, depth: int) -> Ranking:
    """Return the same for a mix: score = Σ weight × signal within [0, 1], one vote a signal.

    `content`, `collaborative` and `popularity` are then each family's part of the sum, relative to the most it
    could be.
    Equal or negative sums keep their order, though both show 0.
    """
    weights = weights_of(voted.votes, settings)
    count, parts = len(voted.products), np.array(weights)[voted.vote] * voted.value
    total = np.bincount(voted.place, parts, count).astype(np.float64)
    sums = _sums_by_source(voted, parts)
    most = {source: sum(max(weight, 0.0) for one, weight in zip(voted.votes, weights, strict=True)
                        if one.source is source) for source in Source}  # fmt: skip
    signals = {source: within(sums[source] / (most[source] or 1.0)) for source in Source}
    return _ranked(leading(voted.products, total, depth), voted, within(total), signals, _loudness(voted, weights))


def weights_of(found: Sequence[Votes], settings: PlacementSettings) -> list[float]:
    """Return what each vote's rescaled scores are multiplied by before they are added up to a product's score.

    Outside of a mix, an absolute vote is not added: it lifts its signal at least to its value.
    """
    if settings.mix:
        return [RESTOCK_WEIGHT if one.code == RESTOCK else settings.mix.get(one.code, 0.0) for one in found]
    speakers = {source: sum(one.source is source and not one.absolute for one in found) for source in Source}
    return [settings.weights.get(one.source, 0.0) / (1 if one.absolute else speakers[one.source]) for one in found]


def rescale(raw: Scores, method: str) -> Scores:
    """Bring raw scores into [0, 1], keeping their order.

    `max` divides by the largest, so that ratios survive; `root` takes the square root of that, which lifts what is not
    at the very top; `rank` gives 1 − rank/n, so that only the order survives.
    """
    if len(raw) == 0:
        return raw
    if method == "rank":
        _, place = np.unique(-raw, return_inverse=True)
        return 1.0 - place / len(raw)
    if method not in ("max", "root"):
        raise ValueError(f"There is no rescaling called {method!r}.")
    largest = raw.max()
    shares = np.maximum(raw / largest, 0.0) if largest > 0 else np.zeros(len(raw))
    return np.sqrt(shares) if method == "root" else shares


def within(values: Scores) -> Scores:
    """Return values brought into [0, 1]."""
    return np.minimum(np.maximum(values, 0.0), 1.0)


def _signals(voted: Voted) -> Mapping[Source, Scores]:
    speakers = {source: sum(one.source is source and not one.absolute for one in voted.votes) for source in Source}
    # Absolute votes are no part of the mean: divided by infinity, they add nothing to it.
    divided_by = np.array([np.inf if one.absolute else speakers[one.source] for one in voted.votes])
    signals = _sums_by_source(voted, voted.value / divided_by[voted.vote])
    for index, one in enumerate(voted.votes):
        if one.absolute:
            mine = voted.vote == index
            place, signal = voted.place[mine], signals[one.source]
            signal[place] = np.maximum(signal[place], voted.value[mine])
    return {source: within(values) for source, values in signals.items()}


def _sums_by_source(voted: Voted, parts: Scores) -> dict[Source, Scores]:
    """Return for each product the sum of what the votes of each source say, added in the order of the votes."""
    count, sources = len(voted.products), tuple(Source)
    family = np.array([sources.index(one.source) for one in voted.votes], np.int64)[voted.vote]
    sums = np.bincount(family * count + voted.place, parts, count * len(sources)).reshape(len(sources), count)
    return dict(zip(sources, sums.astype(np.float64), strict=True))


def _loudness(voted: Voted, weights: Sequence[float]) -> Loudness:
    """Return which votes make the reason of each product: what adds most to the score.

    A vote that can name a product is preferred up to `NAMED` times, since "because you viewed …" says more than
    "similar". Of equally loud ones the first by source and code wins.
    """
    votes = voted.votes
    order = sorted(range(len(votes)), key=lambda index: (votes[index].source, votes[index].code))
    row = np.zeros(len(votes), np.int64)
    row[order] = np.arange(len(votes))
    entry = np.full((len(votes), len(voted.products)), -1)
    entry[row[voted.vote], voted.place] = np.arange(len(voted.vote))
    because = np.concatenate([np.zeros(0, np.int64), *(one.because for one in votes)])
    says = np.array(weights)[voted.vote] * voted.value
    return Loudness(
        codes=[votes[index].code for index in order],
        entry=entry,
        says=np.where(because > 0, NAMED * says, says),
        supports=np.concatenate([np.zeros(0, np.int64), *(one.supports for one in votes)]),
        because=because,
    )


def _ranked(
    order: npt.NDArray[np.int64], voted: Voted, score: Scores, signals: Mapping[Source, Scores], loudness: Loudness
) -> Ranking:
    """Return the products at these places."""
    content, collaborative, popularity = (signals[source] for source in Source)
    return Ranking(
        order,
        products=voted.products,
        score=score,
        content=content,
        collaborative=collaborative,
        popularity=popularity,
        loudness=loudness,
    )
