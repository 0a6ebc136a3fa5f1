"""Model versions: written whole, then made visible by one update; old ones go."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction
from django.utils import timezone

from recommendations.learning.neighbours import Row
from recommendations.models import FreshPair, ModelVersion, NeighbourList, ProductLevels, ShopperNeighbourhood

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


def activate(version: ModelVersion) -> None:
    """Make `version` the one that answers. Readers see the version before it until this commits."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        active = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).exclude(pk=version.pk)
        active.update(state=ModelVersion.State.RETIRED)
        ModelVersion.objects.filter(pk=version.pk).update(state=ModelVersion.State.ACTIVE, activated_at=timezone.now())


def revert() -> ModelVersion | None:
    """Let the version that answered before the active one answer again; return it, or None where there is none."""
    before = (
        ModelVersion.objects.filter(state=ModelVersion.State.RETIRED, activated_at__isnull=False)
        .order_by("-activated_at", "-pk")
        .first()
    )
    if before is None:
        return None
    activate(before)
    before.refresh_from_db()
    return before


def prune_versions() -> int:
    """Delete all but the active and the latest few versions; return how many went."""
    done = [ModelVersion.State.READY, ModelVersion.State.RETIRED, ModelVersion.State.FAILED]
    kept = ModelVersion.objects.filter(state__in=done).values_list("pk", flat=True)[:KEPT_VERSIONS]
    old = ModelVersion.objects.filter(state__in=done).exclude(pk__in=list(kept)).values_list("pk", flat=True)
    for pk in old:
        with transaction.atomic():
            NeighbourList.objects.filter(version=pk)._raw_delete("default")
            ShopperNeighbourhood.objects.filter(version=pk)._raw_delete("default")
            ProductLevels.objects.filter(version=pk)._raw_delete("default")
            ModelVersion.objects.filter(pk=pk).delete()
    oldest = ModelVersion.objects.order_by("pk").values_list("pk", flat=True).first()
    FreshPair.objects.filter(epoch__lt=oldest or 0)._raw_delete("default")
    return len(old)


def _arrays(row: Row, column_ids: npt.NDArray[np.int64]) -> tuple[list[int], list[float], list[int]]:
    return column_ids[row.columns].tolist(), row.scores.round(9).tolist(), row.supports.tolist()
