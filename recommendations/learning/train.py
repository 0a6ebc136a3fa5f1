"""`train`: one pass over the events makes a whole new version, which then becomes the active one."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from django.conf import settings as configured
from django.db import connection, transaction
from django.utils import timezone

from recommendations import levels, popular
from recommendations.configuration import from_json
from recommendations.forward_decay import keep_from_folding
from recommendations.history import purchase_weight
from recommendations.learning import versions
from recommendations.learning.content import catalogue_of, content_neighbours, read_embeddings
from recommendations.learning.engines import local, spark
from recommendations.learning.engines.contract import Read, Reading
from recommendations.learning.events import Events
from recommendations.learning.folding import fold_fresh
from recommendations.learning.material import Material
from recommendations.learning.mixed_models import learn_mixed
from recommendations.learning.neighbours import Row, Totals
from recommendations.learning.own import OwnRepeats
from recommendations.learning.restock import restock_days
from recommendations.learning.shoppers import neighbourhoods
from recommendations.models import ModelVersion, NeighbourList
from recommendations.selectors import event_weights
from recommendations.shelf import shelf

LIST_LENGTH = 50
NEIGHBOURHOOD_LENGTH = 100
# Neighbourhoods are kept for whoever was here within this time; others are served by their products' neighbours.
ACTIVE_DAYS = 365

Progress = Callable[[str], None]
USERS = """
    SELECT DISTINCT hashtextextended('u:' || user_id, 0), user_id FROM user_interactions
    WHERE user_id IS NOT NULL AND occurred_at >= %s AND occurred_at < %s
"""


@dataclass
class _Figures:
    """What is counted on the way, for the version's record."""

    values: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str, progress: Progress) -> Iterator[None]:
        progress(step)
        began = time.perf_counter()
        yield
        self.values[f"{step}, seconds"] = round(time.perf_counter() - began, 3)


def train(
    *,
    as_of: datetime | None = None,
    activate: bool = True,
    settings: Mapping[str, Any] | None = None,
    evidence: Mapping[str, Any] | None = None,
    progress: Progress = lambda _: None,
) -> ModelVersion:
    """Learn from everything before `as_of` (now) and return the new version, active unless told otherwise.

    Its `settings` are those of the active version unless given, with the evidence for them.

    Killed at any line, it leaves the version before it active; what it wrote is pruned by a later training.
    """
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    if settings is None and active is not None:
        settings, evidence = active.settings, active.evidence
    weights, figures = event_weights(), _Figures()
    while fold_fresh():
        pass
    with transaction.atomic():
        # What is folded from here on is counted beside this version; what it reads is all that was folded before.
        keep_from_folding()
        moment = as_of or timezone.now()
        version = versions.begin_version(as_of=moment, settings=settings or {}, evidence=evidence or {})
        with figures.timed("events", progress):
            reading = chosen_engine()(until=moment, event_weights=weights)
    try:
        _learn(version, reading, weights, figures, progress)
    except BaseException as error:
        ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.FAILED, message=repr(error))
        raise
    finally:
        reading.close()
    ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.READY, figures=figures.values)
    if activate:
        versions.activate(version)
    versions.prune_versions()
    popular.forget()
    version.refresh_from_db()
    return version


def chosen_engine() -> Read:
    """Return the engine that `REEMIO_TRAINING_ENGINE` names."""
    engines: dict[str, Read] = {"local": local.read, "spark": spark.read}
    return engines[configured.REEMIO_TRAINING_ENGINE]


def _learn(
    version: ModelVersion, reading: Reading, weights: Mapping[str, float], figures: _Figures, progress: Progress
) -> None:
    figures.values |= reading.figures
    with figures.timed("popularity", progress):
        reading.recount_popularity()
    with figures.timed("neighbours", progress):
        persons = reading.persons()
        figures.values["persons"] = persons.rows
        _store_counts(version, "persons", reading.products, persons)
        rows = reading.neighbours(most=LIST_LENGTH)
        _store(version, NeighbourList.Kind.ITEM_TO_ITEM, rows, reading, figures)
    with figures.timed("bought together", progress):
        _store_counts(version, "orders", reading.products, reading.orders())
        _store(version, NeighbourList.Kind.TOGETHER, reading.together(most=LIST_LENGTH), reading, figures)
    events = reading.recent
    with figures.timed("similar shoppers", progress):
        users = _users(events, since=version.as_of - timedelta(days=ACTIVE_DAYS), until=version.as_of)
        figures.values["similar_shoppers"] = _store_neighbourhoods(version, reading.interest, events, users)
    with figures.timed("content", progress):
        products, vectors = read_embeddings()
        rows = content_neighbours(vectors, most=LIST_LENGTH)
        figures.values["content"] = versions.store_lists(version, NeighbourList.Kind.CONTENT, rows, products, products)
    with figures.timed("repeat purchases", progress):
        days = restock_days(OwnRepeats(events, until=version.as_of.timestamp()), shelf_categories(events))
        versions.store_levels(version, levels.RESTOCK_DAYS, events.products, days)
        figures.values["restocked products"] = int((days > 0).sum())
    mixed = from_json(version.settings).mixed
    if mixed:
        with figures.timed("mixed signals", progress):
            material = Material(
                events,
                until=version.as_of.timestamp(),
                purchase_weight=purchase_weight(weights),
                catalogue=catalogue_of(events.products, products, vectors),
            )
            figures.values |= learn_mixed(version, material, mixed, users, progress)


def shelf_categories(events: Events) -> npt.NDArray[np.int64]:
    """Return a number for the category of every product of the events, the same for the same category."""
    shelf.refresh()
    names = [shelf.facts(product).category for product in events.products.tolist()]
    return (
        np.unique(np.array(names, object), return_inverse=True)[1].astype(np.int64) if names else np.zeros(0, np.int64)
    )


def _store(version: ModelVersion, kind: str, rows: Iterator[Row], reading: Reading, figures: _Figures) -> None:
    figures.values[kind] = versions.store_lists(version, kind, rows, reading.products, reading.products)


def _store_counts(version: ModelVersion, code: str, products: npt.NDArray[np.int64], totals: Totals) -> None:
    """Keep how many persons or orders had each product, and under number 0 of how many: what neighbours follow by."""
    counts = np.append(float(totals.rows), totals.frequency.astype(np.float64))
    versions.store_levels(version, code, np.append(0, products), counts)


def _store_neighbourhoods(
    version: ModelVersion, interest: sp.csr_matrix, events: Events, users: Mapping[int, str]
) -> int:
    known = np.array(sorted(users), np.int64)
    rows = neighbourhoods(interest, known[np.diff(interest.indptr)[known] > 0], most=NEIGHBOURHOOD_LENGTH)
    return versions.store_neighbourhoods(version, rows, users, events.products)


def _users(events: Events, *, since: datetime, until: datetime) -> dict[int, str]:
    """Return the user id of every row of the matrix that is a user's, as far as they were active since then."""
    with connection.cursor() as cursor:
        cursor.execute(USERS, [since, until])
        found = cursor.fetchall()
    hashes = np.array([one for one, _ in found], np.int64)
    rows = np.searchsorted(events.persons, hashes)
    rows = np.minimum(rows, max(len(events.persons) - 1, 0))
    known = events.persons[rows] == hashes if len(events.persons) else np.zeros(0, bool)
    return {int(row): found[index][1] for index, row in enumerate(rows.tolist()) if known[index]}
