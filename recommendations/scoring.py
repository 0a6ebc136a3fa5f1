"""Stage 2, pure: raw votes become signals in [0, 1], and signals one score. No Django here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Counts, Ids, PlacementSettings, Scored, Scores, Source, Votes
from recommendations.leading import distinct, leading
from recommendations.signals import RESTOCK, RESTOCK_WEIGHT

# What goes on to the later stages, best first.
DEPTH = 150
NAMED = 3.0


@dataclass(frozen=True, slots=True)
class Loudest:
    """For each product the place in `codes` of the votes that make its reason, their support, and whom they name."""

    codes: Sequence[str]
    which: Ids
    support: Counts
    because: Ids


def blend(found: Sequence[Votes], settings: PlacementSettings, *, depth: int = DEPTH) -> tuple[Scored, ...]:
    """Return every voted product once, best first: score = Σ weight × signal over content, collaborative, popularity.

    A signal is the mean of its sources' rescaled votes, or what an absolute vote says, if that is more; a source that
    is silent on a product counts 0. Equal scores are ordered by our id, so the result does not depend on the order of
    votes or of candidates in them.
    """
    if not any(len(one) for one in found):
        return ()
    if settings.mix:
        return _mixed(found, settings, depth)
    products = distinct(np.concatenate([one.products for one in found]))
    places = [np.searchsorted(products, one.products) for one in found]
    rescaled = [one.scores if one.absolute else rescale(one.scores, settings.rescale) for one in found]
    signals = _signals(found, places, rescaled, len(products))
    score = sum((settings.weights.get(source, 0.0) * signals[source] for source in Source), np.zeros(len(products)))
    loudest = _loudest(found, places, rescaled, settings, len(products))
    return _listed(leading(products, score, depth), products, score, signals, loudest)


def _mixed(found: Sequence[Votes], settings: PlacementSettings, depth: int) -> tuple[Scored, ...]:
    """Return the same for a mix: score = Σ weight × signal within [0, 1], one vote a signal.

    `content`, `collaborative` and `popularity` are then each family's part of the sum, relative to the most it
    could be.
    Equal or negative sums keep their order, though both show 0.
    """
    products = distinct(np.concatenate([one.products for one in found]))
    places = [np.searchsorted(products, one.products) for one in found]
    rescaled = [one.scores if one.absolute else rescale(one.scores, settings.rescale) for one in found]
    weights = weights_of(found, settings)
    total, parts = np.zeros(len(products)), {source: np.zeros(len(products)) for source in Source}
    for one, place, values, weight in zip(found, places, rescaled, weights, strict=True):
        total[place] += weight * values
        parts[one.source][place] += weight * values
    most = {
        source: sum(
            max(weight, 0.0) for one, weight in zip(found, weights, strict=True) if one.source is source
        )
        for source in Source
    }  # fmt: skip
    signals = {source: np.clip(part / (most[source] or 1.0), 0.0, 1.0) for source, part in parts.items()}
    loudest = _loudest_of(found, places, rescaled, weights, len(products))
    score = np.clip(total, 0.0, 1.0)
    return _listed(leading(products, total, depth), products, score, signals, loudest)


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
    shares = np.clip(raw / largest, 0.0, 1.0) if largest > 0 else np.zeros(len(raw))
    return np.sqrt(shares) if method == "root" else shares


def _signals(
    found: Sequence[Votes], places: Sequence[Ids], rescaled: Sequence[Scores], count: int
) -> Mapping[Source, Scores]:
    signals = {source: np.zeros(count) for source in Source}
    speakers = {source: sum(one.source is source and not one.absolute for one in found) for source in Source}
    spoken = list(zip(found, places, rescaled, strict=True))
    for one, place, values in spoken:
        if not one.absolute:
            signals[one.source][place] += values / speakers[one.source]
    for one, place, values in spoken:
        if one.absolute:
            signals[one.source][place] = np.maximum(signals[one.source][place], values)
    return {source: np.clip(values, 0.0, 1.0) for source, values in signals.items()}


def _loudest(
    found: Sequence[Votes],
    places: Sequence[Ids],
    rescaled: Sequence[Scores],
    settings: PlacementSettings,
    count: int,
) -> Loudest:
    """Return, for each product, which votes make its reason, and what they say of it.

    It is what adds most to the score; a vote that can name a product is preferred up to `NAMED` times, since "because
    you viewed …" says more than "similar".
    """
    weights = [settings.weights.get(one.source, 0.0) for one in found]
    return _loudest_of(found, places, rescaled, weights, count)


def _loudest_of(
    found: Sequence[Votes], places: Sequence[Ids], rescaled: Sequence[Scores], weights: Sequence[float], count: int
) -> Loudest:
    best, which = np.full(count, -1.0), np.zeros(count, np.int64)
    support, because = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for index in sorted(range(len(found)), key=lambda index: (found[index].source, found[index].code)):
        one, says = found[index], weights[index] * rescaled[index]
        says = np.where(one.because > 0, NAMED * says, says)
        louder = says > best[places[index]]
        touched = places[index][louder]
        best[touched], which[touched] = says[louder], index
        support[touched], because[touched] = one.supports[louder], one.because[louder]
    return Loudest([one.code for one in found], which, support, because)


def _listed(
    order: npt.NDArray[np.int64], products: Ids, score: Scores, signals: Mapping[Source, Scores], loudest: Loudest
) -> tuple[Scored, ...]:
    """Return the products at these places. A frozen dataclass' own constructor would take ten times as long."""
    speaks = (loudest.which, loudest.support, loudest.because)
    columns = (products, score, *(signals[source] for source in Source), *speaks)
    listed = []
    for row in zip(*(column[order].tolist() for column in columns), strict=True):
        one = object.__new__(Scored)
        product, value, content, collaborative, popularity, which, support, because = row
        object.__setattr__(
            one,
            "__dict__",
            {
                "product": product,
                "score": value,
                "content": content,
                "collaborative": collaborative,
                "popularity": popularity,
                "loudest": loudest.codes[which],
                "support": support,
                "because": because,
            },
        )
        listed.append(one)
    return tuple(listed)
