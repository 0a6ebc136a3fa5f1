"""Training for the mixes of a version: only the models that one of its placements names are learned and stored."""

from collections.abc import Callable, Collection, Iterator, Mapping

import numpy as np
import scipy.sparse as sp

from recommendations.learning import versions
from recommendations.learning.levels import INTERVAL, levels
from recommendations.learning.material import Material
from recommendations.learning.neighbours import Row
from recommendations.learning.own import OwnRepeats
from recommendations.learning.sequences import latest_visits
from recommendations.learning.signal_models import LIST_MODELS, chosen_by_similar
from recommendations.learning.sparse import Ints
from recommendations.models import ModelVersion
from recommendations.signals import SIGNALS, Form

STORED_CHOICES = 150
CHUNK = 2000

Progress = Callable[[str], None]


def learn_mixed(
    version: ModelVersion, material: Material, mixed: Collection[str], users: Mapping[int, str], progress: Progress
) -> dict[str, int]:
    """Learn and store what the signals in `mixed` need; return how many rows each model has."""
    stored: dict[str, int] = {}
    products = material.events.products
    asked = {form: sorted(code for code in mixed if SIGNALS[code].form is form) for form in Form}
    for code in asked[Form.LIST]:
        if code not in LIST_MODELS:
            continue
        progress(code)
        found = LIST_MODELS[code](material)
        stored[code] = versions.store_lists(version, code, found.rows(), products, products) if found else 0
    for code in asked[Form.SHOPPERS]:
        progress(code)
        rows = _chosen(material, code, np.array(sorted(users), np.int64))
        stored[code] = versions.store_neighbourhoods(version, rows, users, products, kind=code)
    if asked[Form.VISITS]:
        progress("visits")
        stored["visits"] = versions.store_visits(version, latest_visits(material.events, until=material.until))
    if asked[Form.LEVEL]:
        progress("levels")
        found_levels = levels(material.events, until=material.until)
        for code in asked[Form.LEVEL]:
            versions.store_levels(version, code, products, found_levels[code])
            stored[code] = len(products)
    if asked[Form.OWN]:
        versions.store_levels(version, INTERVAL, products, OwnRepeats(material.events, until=material.until).usual)
        stored[INTERVAL] = len(products)
    return stored


def _chosen(material: Material, code: str, persons: Ints) -> Iterator[Row]:
    """Yield what similar shoppers chose, for each of these persons."""
    for start in range(0, len(persons), CHUNK):
        part = persons[start : start + CHUNK]
        scores, supports = chosen_by_similar(material, code, part, most=STORED_CHOICES)
        yield from _rows(scores, supports, part)


def _rows(scores: sp.csr_matrix, supports: Ints, persons: Ints) -> Iterator[Row]:
    for place, person in enumerate(persons.tolist()):
        span = slice(scores.indptr[place], scores.indptr[place + 1])
        columns, values = scores.indices[span].astype(np.int64), scores.data[span]
        order = np.lexsort((columns, -values))
        yield Row(person, columns[order], values[order], supports[span][order])
