"""Statements of the hot paths: parsed and planned once for each connection, with results in binary.

Arrays of whole numbers and of floats come as numpy's. Plans are generic (`base.py` sets `plan_cache_mode`): they are
made without looking at the values, so a statement belongs here only where one plan suits all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import psycopg
from django.db import connection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

# PostgreSQL's binary form of an array: number of dimensions, whether there are nulls, type; then for each dimension its
# size and lower bound; then each element after its length.
_HEADER = np.dtype(">i4")
_EMPTY, _FLAT = 12, 20


class _NumbersLoader(Loader):
    """Loads a one-dimensional array without nulls as a numpy array."""

    format = Format.BINARY
    element: npt.DTypeLike
    loaded: npt.DTypeLike

    def load(self, data: Buffer) -> npt.NDArray[Any]:
        """Return a copy of the elements. Raises ValueError on nulls and on more than one dimension."""
        dimensions, nulls = np.frombuffer(data, _HEADER, count=2)
        if dimensions == 0 and len(data) == _EMPTY:
            return np.zeros(0, self.loaded)
        if dimensions != 1 or nulls:
            raise ValueError("An array of numbers with nulls, or with several dimensions.")
        elements = np.frombuffer(data, np.dtype([("length", ">i4"), ("value", self.element)]), offset=_FLAT)
        return elements["value"].astype(self.loaded)


def _loader(name: str, element: str, loaded: npt.DTypeLike) -> type[_NumbersLoader]:
    return type(name, (_NumbersLoader,), {"element": np.dtype(element), "loaded": np.dtype(loaded)})


_LOADERS = {
    "int4[]": _loader("IntegersLoader", ">i4", np.int64),
    "int8[]": _loader("BigIntegersLoader", ">i8", np.int64),
    "float8[]": _loader("FloatsLoader", ">f8", np.float64),
}
_OIDS = {name: psycopg.adapters.types[name].array_oid for name in _LOADERS}


class PreparedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements are prepared at their first use, and answer in binary.

    Where Django logs statements they are not prepared: a prepared one does not know its text any more.
    """

    logged = False

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        super().__init__(connection)
        for name, loader in _LOADERS.items():
            self.adapters.register_loader(_OIDS[name], loader)

    def execute(self, query: Any, params: Any = None, **_: Any) -> "PreparedCursor":
        """Execute, prepared and in binary."""
        return super().execute(query, params, prepare=not self.logged, binary=True)


_cursors: WeakKeyDictionary[psycopg.Connection[Any], PreparedCursor] = WeakKeyDictionary()


def fetch(statement: str, parameters: Mapping[str, Any] | Sequence[Any]) -> list[tuple[Any, ...]]:
    """Execute a prepared statement on Django's connection of this thread, and return all its rows."""
    django: Any = connection
    django.ensure_connection()
    cursor = _cursors.get(django.connection)
    if cursor is None:
        cursor = _cursors[django.connection] = PreparedCursor(django.connection)
    cursor.logged = django.queries_logged
    wrapped = django._prepare_cursor(cursor)  # errors, logs and wrappers are Django's
    wrapped.execute(statement, parameters)
    return list(wrapped.fetchall())
