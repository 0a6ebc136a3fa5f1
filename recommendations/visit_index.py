"""Reading a version's visits: they never change, so a process reads each version's once."""

from threading import Lock

import numpy as np
from django.db import connection

from recommendations.visit_neighbours import Visits

MOST_VERSIONS = 2
READ = "SELECT products, pointers, columns, fading FROM recommendations_visitindex WHERE version_id = %s"

EMPTY = Visits(np.zeros(0, np.int64), np.zeros(1, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
_kept: dict[int, Visits] = {}
_lock = Lock()


def visits_of(version: int | None) -> Visits:
    """Return the visits that a version keeps, none where it keeps none. One query a version and process."""
    if version is None:
        return EMPTY
    found = _kept.get(version)
    return _read(version) if found is None else found


def forget() -> None:
    """Drop everything that was read."""
    with _lock:
        _kept.clear()


def _read(version: int) -> Visits:
    with connection.cursor() as cursor:
        cursor.execute(READ, [version])
        row = cursor.fetchone()
    found = EMPTY
    if row is not None:
        products, pointers, columns, fading = (bytes(one) for one in row)
        found = Visits(
            np.frombuffer(products, "<i8").astype(np.int64),
            np.frombuffer(pointers, "<i4").astype(np.int32),
            np.frombuffer(columns, "<i4").astype(np.int32),
            np.frombuffer(fading, "<f4").astype(np.float32),
        )
    with _lock:
        if len(_kept) >= MOST_VERSIONS:
            _kept.clear()
        _kept[version] = found
    return found
