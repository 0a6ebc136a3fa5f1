"""Model versions: written whole, then made visible by one update; old ones go."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recommendations.learning.neighbours import Row
from recommendations.models import (
    FreshPair,
    ModelVersion,
    NeighbourList,
    ProductLevels,
    ShopperNeighbourhood,
    VisitIndex,
)
from recommendations.visit_neighbours import Visits

KEPT_VERSIONS = 3
# Activations queue up behind this lock, so that two trainings that end together leave exactly one version active.
LOCK = 0x5EE31002

LISTS = """
    COPY recommendations_neighbourlist (version_id, kind, product_id, neighbours, scores, supports) FROM STDIN
"""
HOODS = """
    COPY recommendations_shopperneighbourhood (version_id, user_id, kind, products, scores, supports) FROM STDIN
"""


def begin_version(
    *, as_of: datetime, settings: Mapping[str, Any], evidence: Mapping[str, Any] | None = None
) -> ModelVersion:
    """Return a new version that nobody reads yet."""
    return ModelVersion.objects.create(as_of=as_of, settings=dict(settings), evidence=dict(evidence or {}))


def store_lists(
    version: ModelVersion,
    kind: str,
    rows: Iterable[Row],
    row_ids: npt.NDArray[np.int64],
    column_ids: npt.NDArray[np.int64],
) -> int:
    """Write one neighbour list a row, streaming; return how many were not empty."""
    stored = 0
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(LISTS) as copy:
        for row in rows:
            if len(row.columns) == 0:
                continue
            product = int(row_ids[row.row])
            copy.write_row((version.pk, kind, product, *_arrays(row, column_ids)))
            stored += 1
    return stored


def store_neighbourhoods(
    version: ModelVersion,
    rows: Iterable[Row],
    users: Mapping[int, str],
    column_ids: npt.NDArray[np.int64],
    *,
    kind: str = "",
) -> int:
    """Write one row a known user, streaming; return how many were not empty."""
    stored = 0
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(HOODS) as copy:
        for row in rows:
            if len(row.columns) == 0:
                continue
            copy.write_row((version.pk, users[row.row], kind, *_arrays(row, column_ids)))
            stored += 1
    return stored


def store_levels(
    version: ModelVersion, code: str, products: npt.NDArray[np.int64], values: npt.NDArray[np.float64]
) -> None:
    """Write one level of all products, ids ascending."""
    ProductLevels.objects.create(
        version=version, code=code, products=products.tolist(), values=values.round(9).tolist()
    )


def store_visits(version: ModelVersion, visits: Visits) -> int:
    """Write the visits that session neighbours are looked for in; return how many there are."""
    VisitIndex.objects.create(
        version=version,
        products=visits.products.astype("<i8").tobytes(),
        pointers=visits.pointers.astype("<i4").tobytes(),
        columns=visits.columns.astype("<i4").tobytes(),
        fading=visits.fading.astype("<f4").tobytes(),
    )
    return len(visits.fading)


def activate(version: ModelVersion) -> None:
    """Make `version` the one that answers. Readers see the version before it until this commits."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).exclude(pk=version.pk)
        active.update(state=ModelVersion.State.RETIRED)
        ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.ACTIVE, activated_at=timezone.now())


def revert() -> ModelVersion | None:
    """Let the last version with other settings answer again, else the one before; return it, or None without any.

    Nightly trainings keep the settings, so what was tuned is taken back however many nights lie between.
    """
    before = last_with_other_settings() or last_answering()
    if before is None:
        return None
    activate(before)
    before.refresh_from_db()
    return before


def last_answering() -> ModelVersion | None:
    """Return the version that answered before the active one."""
    return _answered().first()


def last_with_other_settings() -> ModelVersion | None:
    """Return the last version that answered with other settings than the active one: what undoes a tuning."""
    active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).first()
    return None if active is None else _answered().exclude(settings=active.settings).first()


def _answered() -> QuerySet[ModelVersion]:
    answered = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED, activated_at__isnull=False)
    return answered.order_by("-activated_at", "-pk")


def prune_versions() -> int:
    """Delete all but the active version, the latest few, and the one to revert to; return how many went.

    A night's training must not take away what can be gone back to, so the last version that answered with other
    settings than the active one stays as well, however old.
    """
    done = [ModelVersion.State.READY, ModelVersion.State.RETIRED, ModelVersion.State.FAILED]
    finished = ModelVersion.objects.filter(state__in=done)
    latest = finished.values_list("pk", flat=True)[:KEPT_VERSIONS]
    kept = set(latest)
    kept |= {version.pk for version in (last_answering(), last_with_other_settings()) if version is not None}
    old = finished.exclude(pk__in=kept).values_list("pk", flat=True)
    for pk in old:
        with transaction.atomic():
            NeighbourList.objects.filter(version=pk)._raw_delete("default")
            ShopperNeighbourhood.objects.filter(version=pk)._raw_delete("default")
            ProductLevels.objects.filter(version=pk)._raw_delete("default")
            VisitIndex.objects.filter(version=pk)._raw_delete("default")
            ModelVersion.objects.filter(pk=pk).delete()
    # An older version that is kept to go back to is brought up to date by the next training instead.
    running = ModelVersion.objects.exclude(state__in=done).values_list("pk", flat=True)
    FreshPair.objects.filter(epoch__lt=min({*latest, *running}, default=0))._raw_delete("default")
    return len(old)


def _arrays(row: Row, column_ids: npt.NDArray[np.int64]) -> tuple[list[int], list[float], list[int]]:
    return column_ids[row.columns].tolist(), row.scores.round(9).tolist(), row.supports.tolist()
