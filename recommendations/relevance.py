"""How well products match a search: exact names, words, meaning, and what the shopper likes. No Django here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommendations.contracts import Ids, ProductFacts, Scores
from recommendations.spelling import PARTS, Word, words_of

WORDS, MEANING = 0.5, 0.5
# All words, but some of them only in category, brand or description.
ELSEWHERE, DESCRIBED = 0.8, 0.5
# How much of its title the search names counts for this part of the words' score.
PRECISION = 0.2
# The most that a shopper's taste adds to a score, as a share of it.
PERSONAL = 0.2
# Nothing but an exact name or id scores 1.
BELOW_EXACT = 0.9999


@dataclass(frozen=True, slots=True)
class Matches:
    """n products that match a search: parallel arrays.

    `exact` ones have the search for their name or id; `every` tells whether a product has every word somewhere.
    `cosine` is the nearness to the search's embedding, `affinity` that to the shopper's taste; 0 where unknown.
    """

    products: Ids
    exact: npt.NDArray[np.bool_]
    every: npt.NDArray[np.bool_]
    cosine: Scores
    affinity: Scores


def scores_of(matches: Matches, words: Sequence[Word], facts: Sequence[ProductFacts]) -> Scores:
    """Return a score in [0, 1] for each match; 1 for an exact one, and for those only.

    score = (½ words + ½ cosine) × (1 + 0.2 × affinity, relative to the largest), where any product has a word of the
    search; cosine alone otherwise.
    """
    spoken = np.array([_coverage(words, one) for one in facts], np.float64)
    spoken = np.maximum(spoken, DESCRIBED * matches.every)
    cosine = np.clip(matches.cosine, 0.0, 1.0)
    blended = WORDS * spoken + MEANING * cosine if spoken.any() else cosine
    liked = np.clip(matches.affinity, 0.0, 1.0)
    personal = blended * (1 + PERSONAL * liked / max(float(liked.max(initial=0.0)), 1e-9))
    return np.where(matches.exact, 1.0, np.minimum(personal, BELOW_EXACT))


def _coverage(words: Sequence[Word], facts: ProductFacts) -> float:
    """Return how far the title, or title, category and brand, hold the words: 1 where the title is those words."""
    if not words:
        return 0.0
    title = _stems(facts.title)
    named = _hits(words, title)
    anywhere = _hits(words, title | _stems(f"{facts.brand} {facts.category}"))
    precision = min(named / max(len(title), 1), 1.0)
    return max(
        named / len(words) * (1 - PRECISION + PRECISION * precision),
        ELSEWHERE * anywhere / len(words),
    )


def _hits(words: Sequence[Word], stems: frozenset[str] | set[str]) -> int:
    return sum(
        any(all(_stem(part) in stems for part in meant.split()) for meant in (word.typed, *word.meant))
        for word in words
    )


def _stems(text: str) -> set[str]:
    return {_stem(part) for word in words_of(text) for part in (word, *PARTS.split(word)) if part}


def _stem(word: str) -> str:
    """Return a word without its plural's ending: enough to compare what PostgreSQL's stemmer found already."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
