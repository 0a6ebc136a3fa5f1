"""The models behind the list signals and the similar-shopper signals, by code: which matrices, which settings. Pure."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import scipy.sparse as sp

from recommendations.learning.companions import Lists, audience, cooccurrence, counted, successors
from recommendations.learning.ease import Prior, ease, forecast
from recommendations.learning.likeness import Catalogue, Likeness, numbers_near, texts_alike, words_alike
from recommendations.learning.material import Material
from recommendations.learning.neighbours import binary
from recommendations.learning.sequences import sequential_rules
from recommendations.learning.shoppers import MOST_COMPARED
from recommendations.learning.sparse import (
    Ints,
    entries,
    heaviest_rows,
    scale_columns,
    scale_rows,
    squared_rows,
    top_of_rows,
)
from recommendations.signals import PROFILE_HALF_LIFE

LIST_LENGTH = 100
CHUNK = 256

Model = Callable[[Material], Lists | None]
Alike = Callable[[Catalogue, Ints], Likeness]


def _audience(profile: float, recent: float, b: float, damping: float) -> Model:
    def learn(material: Material) -> Lists:
        left, right = material.persons(profile), material.persons(recent)
        return audience(left, right, b=b, damping=damping, most=LIST_LENGTH)

    return learn


def _ease_of_persons(material: Material) -> Lists | None:
    matrix = material.persons(180.0)
    mean = float(matrix.data.mean()) if matrix.nnz else 0.0
    return ease(matrix, ridge=400.0 * mean**2 + 1e-6, most=2 * LIST_LENGTH)


def _forecast(material: Material) -> Lists | None:
    before, after, weight = material.windows(PROFILE_HALF_LIFE, most=8, days=28.0, fading=0.8)
    persons = material.persons(None)
    return forecast(before, after, weight, ridge=40.0, most=2 * LIST_LENGTH, support_from=persons)


def _sequence(material: Material) -> Lists:
    return sequential_rules(material.events, until=material.until, half_life=90.0, most=LIST_LENGTH)


def _next_order(material: Material) -> Lists:
    first, second, weight = material.followers(90.0)
    return successors(first, second, weight, damping=2.0, most=LIST_LENGTH)


def _ease_of_orders(size_power: float, ridge: float) -> Model:
    def learn(material: Material) -> Lists | None:
        weighted = material.weighted_baskets(240.0, size_power=size_power)
        return ease(weighted, ridge=ridge, most=2 * LIST_LENGTH, support_from=material.baskets[0])

    return learn


def _ease_of_both(material: Material, prior: Prior | None = None) -> Lists | None:
    persons = binary(material.persons(None)).astype(np.float64)
    persons = scale_rows(persons, 0.55 / np.maximum(np.diff(persons.indptr), 1) ** 0.125)
    stacked = sp.vstack([material.weighted_baskets(120.0, size_power=0.25), persons], format="csr")
    return ease(stacked, ridge=10.0, most=4 * LIST_LENGTH, support_from=material.baskets[0], prior=prior)


def _ease_with_likeness(orders: float, *likenesses: Alike) -> Model:
    """Return EASE of orders and shoppers that takes products alike as bought together in so many orders beforehand."""

    def learn(material: Material) -> Lists | None:
        catalogue = material.catalogue
        if catalogue is None:
            return None
        return _ease_of_both(
            material, lambda live: orders * np.sum([alike(catalogue, live) for alike in likenesses], axis=0)
        )

    return learn


def _confidence(half_life: float | None, size_power: float, a: float, b: float, damping: float) -> Model:
    def learn(material: Material) -> Lists:
        weighted, plain = material.weighted_baskets(half_life, size_power=size_power), material.baskets[0]
        scores = cooccurrence(weighted, weighted, a=a, b=b, damping=damping, most=LIST_LENGTH)
        return counted(scores, plain, plain, most=LIST_LENGTH)

    return learn


LIST_MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "ease": _ease_of_persons,
        "audience": _audience(180.0, 180.0, 0.5, 0.1),
        "audience_recent": _audience(180.0, 7.0, 0.2, 0.1),
        "next_order": _next_order,
        "forecast": _forecast,
        "sequence": _sequence,
        "order_ease_sized": _ease_of_orders(0.25, 10.0),
        "order_ease_soft": _ease_of_orders(0.0, 300.0),
        "order_ease_both": _ease_of_both,
        "order_ease_alike": _ease_with_likeness(5.0, texts_alike),
        "order_ease_named": _ease_with_likeness(2.0, texts_alike, words_alike, numbers_near),
        "confidence": _confidence(180.0, 1.0, 1.0, 0.1, 0.5),
        "confidence_soft": _confidence(None, 0.75, 1.0, 0.1, 0.5),
        "damped": _confidence(120.0, 0.5, 0.5, 0.5, 1.0),
        "audience_long": _audience(400.0, 400.0, 0.15, 0.2),
        "audience_short": _audience(60.0, 60.0, 0.5, 0.2),
    }
)
# Half-life of the profiles that are compared, how many similar persons, half-life of what they did; days.
SHOPPER_MODELS: Mapping[str, tuple[float, int, float]] = MappingProxyType(
    {
        "similar_recent": (60.0, 300, 7.0),
        "similar": (60.0, 100, 60.0),
        "similar_wide": (400.0, 1000, 7.0),
    }
)


def similar_persons(profile: sp.csr_matrix, rows: Ints, *, most: int) -> sp.csr_matrix:
    """Return rows × persons: the `most` nearest by cosine of ln-idf weighted profiles, themselves left out."""
    frequency = np.bincount(profile.indices, minlength=profile.shape[1])
    weighted = scale_columns(profile, np.log(profile.shape[0] / (frequency + 1.0) + 1.0))
    weighted = scale_rows(weighted, 1 / np.sqrt(np.maximum(squared_rows(weighted), 1e-12)))
    compared = (np.diff(heaviest_rows(profile, MOST_COMPARED).indptr) > 0).astype(np.float64)
    transposed, chunks = scale_rows(weighted, compared).T.tocsr(), []
    transposed.eliminate_zeros()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        near = (weighted[chunk] @ transposed).tocsr()
        place = np.repeat(np.arange(len(chunk)), np.diff(near.indptr))
        near.data[near.indices == chunk[place]] = 0.0
        chunks.append(top_of_rows(near, most))
    return sp.vstack(chunks, format="csr") if chunks else sp.csr_matrix((0, profile.shape[0]))


def chosen_by_similar(material: Material, code: str, rows: Ints, *, most: int) -> tuple[sp.csr_matrix, Ints]:
    """Return rows × products: Σ similarity × what similar persons did lately, the best `most`, and how many did it."""
    half_life, persons, lately = SHOPPER_MODELS[code]
    near = similar_persons(material.persons(half_life), rows, most=persons)
    recent = material.persons(lately, root=False)
    chunks, supports = [], [np.zeros(0)]
    for start in range(0, len(rows), CHUNK):
        part = near[start : start + CHUNK]
        kept = top_of_rows((part @ recent).tocsr(), most)
        kept.sort_indices()
        chunks.append(kept)
        many = (binary(part) @ binary(recent)).tocsr()
        many.sort_indices()
        supports.append(_same_places(many, kept))
    scores = sp.vstack(chunks, format="csr") if chunks else sp.csr_matrix((0, recent.shape[1]))
    return scores, np.concatenate(supports).astype(np.int64)


def _same_places(matrix: sp.csr_matrix, kept: sp.csr_matrix) -> np.ndarray:
    return entries(matrix, np.repeat(np.arange(kept.shape[0]), np.diff(kept.indptr)), kept.indices)
