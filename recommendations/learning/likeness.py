"""How alike products are by what the catalogue says of them: texts, words of titles, numbers of ids. No Django here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from recommendations.learning.sparse import Ints, scale_columns, scale_rows, squared_rows

WORD = re.compile(r"\w\w+")
# What stands before an id's number, the number, and at most three characters that name a variant of it.
NUMBERED = re.compile(r"(\D*)(\d{1,15})(\D{0,3})")
# Numbers so far apart are 1/e as near as equal ones.
REACH = 10.0

Likeness = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known of n products without any event: unit `vectors` (n × 384, zero where there is none), titles, ids.

    `names` are the shop's own ids.
    """

    vectors: npt.NDArray[np.float32]
    titles: Sequence[str]
    names: Sequence[str]


def texts_alike(catalogue: Catalogue, chosen: Ints) -> Likeness:
    """Return the squared cosine of the embeddings of every two chosen products, k × k; 1 of a product with itself."""
    vectors = catalogue.vectors[chosen]
    return np.asarray((vectors @ vectors.T) ** 2, np.float32)


def words_alike(catalogue: Catalogue, chosen: Ints) -> Likeness:
    """Return the cosine of the TF-IDF weighted words of every two titles; a word of one title only speaks of none."""
    words = [set(WORD.findall(catalogue.titles[place].lower())) for place in chosen.tolist()]
    known = {word: column for column, word in enumerate(sorted(set().union(*words)))}
    pairs = [(row, known[word]) for row, some in enumerate(words) for word in sorted(some)]
    if not pairs:
        return np.zeros((len(chosen), len(chosen)), np.float32)
    place = tuple(np.array(pairs, np.int64).T)
    held = sp.csr_matrix((np.ones(len(pairs)), place), shape=(len(words), len(known)))
    weighted = scale_columns(held, np.log(len(words) / np.bincount(held.indices, minlength=len(known))) + 1)
    unit = scale_rows(weighted, 1 / np.sqrt(np.maximum(squared_rows(weighted), 1e-12)))
    return np.asarray((unit @ unit.T).toarray(), np.float32)


def numbers_near(catalogue: Catalogue, chosen: Ints) -> Likeness:
    """Return e^(−|a − b| / 10) for every two ids with numbers a and b behind the same stem, 0 for other pairs.

    What came into a shop together often has neighbouring numbers: a collection, or the colours of one thing.
    """
    found = [NUMBERED.fullmatch(catalogue.names[place]) for place in chosen.tolist()]
    stems = {stem: number for number, stem in enumerate(sorted({one[1] for one in found if one}))}
    stem = np.array([stems[one[1]] if one else -1 for one in found], np.int64)
    number = np.array([float(one[2]) if one else 0.0 for one in found])
    near = np.exp(-np.abs(number[:, None] - number[None, :]) / REACH)
    near *= (stem[:, None] == stem[None, :]) & (stem >= 0)[:, None]
    return np.asarray(near, np.float32)
