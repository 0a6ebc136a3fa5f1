"""The Spark engine: neighbours, bought together and popularity of more events than one machine's memory holds.

1. `read` exports the events by COPY to a folder that all executors see, in pieces.
2. Pieces are scattered by person, and each part makes its rows of the interest matrix.
3. Totals over all persons, then the length of each column, come back here: numbers by product, never by person.
4. Each span of products gets every row that has one of them, and finds its neighbours. Orders go the same way.

The extra `reemio[spark]` brings PySpark; executors need Python with numpy and scipy, and get our modules sent.
"""

import logging
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from django.conf import settings

import recommendations
from recommendations.forward_decay import replace_popularity, stored_popularity
from recommendations.learning.engines import parts
from recommendations.learning.engines.contract import EngineError
from recommendations.learning.engines.exported import Exported, export
from recommendations.learning.engines.parts import Floats, Ints, Part
from recommendations.learning.events import Events
from recommendations.learning.matrices import interest_matrix
from recommendations.learning.neighbours import (
    SHRINKAGE,
    Row,
    Scorer,
    Totals,
    bm25_weighted,
    in_company,
    shrunk,
    totals_of,
    unit_columns,
)
from reemio.bootstrap import state_dir

# What an executor has to import, beside numpy and scipy.
SENT = (
    "__init__.py", "decay.py", "likelihood.py", "learning/__init__.py", "learning/events.py", "learning/matrices.py",
    "learning/neighbours.py", "learning/sparse.py", "learning/engines/__init__.py", "learning/engines/parts.py",
)  # fmt: skip


class SparkReading:
    """Events on disk, and a Spark application that learns from them, begun with the first step that needs it."""

    def __init__(self, exported: Exported, folder: Path, *, rows_a_task: int) -> None:
        """Keep where the events are, and popularity as it stood when they were read."""
        self._exported, self._folder, self._rows_a_task = exported, folder, rows_a_task
        self._popularity_then = stored_popularity()
        self.products = exported.products
        self.figures: Mapping[str, int] = {"events": exported.events, "products": len(exported.products)}

    @cached_property
    def recent(self) -> Events:
        """The latest events, up to `REEMIO_SPARK_RECENT_EVENTS`."""
        return self._exported.recent(most=settings.REEMIO_SPARK_RECENT_EVENTS)

    @cached_property
    def interest(self) -> sp.csr_matrix:
        """Persons × products of the recent events."""
        return interest_matrix(self.recent, until=self._exported.until)

    def recount_popularity(self) -> int:
        """Count popularity anew as it stood when events were read, and add what was folded since."""
        pieces = self._scattered("product").mapValues(parts.gathered).mapValues(parts.popularity_part).values()
        found = [_nothing_counted(), *pieces.collect()]
        ids, sums, counts = (np.concatenate(one) for one in zip(*found, strict=True))
        order = np.argsort(ids)
        return replace_popularity(self._popularity_then, (ids[order], sums[order], counts[order]))

    def persons(self) -> Totals:
        """Return how many persons there are, and who was interested in each product."""
        return self._interest[1]

    def orders(self) -> Totals:
        """Return how many orders there are, and how many hold each product."""
        return self._orders[1]

    def neighbours(self, *, most: int) -> Iterator[Row]:
        """Yield the neighbours of each product, products ascending."""
        interest, totals = self._interest
        weighted = interest.mapValues(_weighting(self._context.broadcast(totals)))
        squares = self._context.broadcast(self._squares(weighted, totals))
        unit = weighted.mapValues(lambda part: (part[0], unit_columns(part[1], squares.value)))
        return self._best(unit, totals, shrunk(SHRINKAGE), most=most)

    def together(self, *, most: int) -> Iterator[Row]:
        """Yield what is bought together with each product, products ascending."""
        orders, totals = self._orders
        return self._best(orders, totals, in_company(totals), most=most)

    def close(self) -> None:
        """End the Spark application and delete what was exported."""
        if "_context" in self.__dict__:
            self._context.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @cached_property
    def _context(self) -> Any:
        context = _spark_context()
        context.addPyFile(str(_our_modules(self._folder)))
        return context

    @cached_property
    def _products(self) -> Any:
        return self._context.broadcast(self.products)

    @cached_property
    def _interest(self) -> tuple[Any, Totals]:
        products, until = self._products, self._exported.until
        return self._matrix("person", lambda rows: parts.interest_part(rows, products.value, until=until))

    @cached_property
    def _orders(self) -> tuple[Any, Totals]:
        products, until = self._products, self._exported.until
        return self._matrix("order", lambda rows: parts.order_part(rows, products.value, until=until))

    def _matrix(self, by: str, made: Callable[[parts.Rows], Part]) -> tuple[Any, Totals]:
        """Return an RDD of parts of a matrix, kept on disk for what follows, and the totals of all of them."""
        rdd = self._scattered(by).mapValues(parts.gathered).mapValues(made)
        rdd = rdd.persist(_on_disk())
        none = Totals(0, 0, np.zeros(len(self.products), np.int64))
        return rdd, rdd.map(lambda one: totals_of(one[1][1])).fold(none, Totals.__add__)

    def _scattered(self, by: str) -> Any:
        """Return an RDD of each part's number and its rows, as they were read."""
        number = max(1, -(-self._exported.events // self._rows_a_task))

        paths = [str(path) for path in self._exported.pieces]
        rdd = self._context.parallelize(paths, max(1, len(paths)))
        found = rdd.flatMap(lambda path: parts.scattered(np.load(path), by=by, parts=number))
        return found.groupByKey(number, int)

    def _squares(self, weighted: Any, totals: Totals) -> Floats:
        """Return Σ x² of each column over all parts."""
        spans = self._spans(totals)
        starts = np.array([start for start, _ in spans], np.int64)
        grouped = (
            weighted.values()
            .flatMap(lambda part: parts.squares_by_span(part, starts))
            .groupByKey(max(1, len(spans)), int)
        )
        found = grouped.map(lambda one: (one[0], parts.squares_of_span(one[1], *spans[one[0]]))).collect()
        squares = np.zeros(len(self.products))
        for span, sums in found:
            squares[slice(*spans[span])] = sums
        return squares

    def _best(self, matrix: Any, totals: Totals, score: Scorer, *, most: int) -> Iterator[Row]:
        spans = self._spans(totals)
        starts = np.array([start for start, _ in spans], np.int64)
        rows = matrix.values().flatMap(lambda part: parts.rows_by_span(part, starts))
        grouped = rows.groupByKey(max(1, len(spans)), int)
        found = grouped.flatMap(
            lambda one: parts.best_of_span(list(one[1]), *spans[one[0]], most=most, score=score)
        ).persist(_on_disk())
        # All spans at once; their lists then come here one span after the other.
        found.count()
        yield from found.toLocalIterator()
        found.unpersist()

    def _spans(self, totals: Totals) -> list[tuple[int, int]]:
        return parts.spans(totals.frequency, most=self._rows_a_task)


def read(*, until: datetime, event_weights: Mapping[str, float]) -> SparkReading:
    """Export all folded events before `until` for Spark. Raises `EngineError` where Spark is not to be had."""
    _spark()
    home = Path(settings.REEMIO_SPARK_DIR or state_dir() / "spark")
    home.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="training-", dir=home))
    folder.chmod(0o755)
    rows_a_task = settings.REEMIO_SPARK_ROWS_A_TASK
    try:
        exported = export(folder, until=until, event_weights=event_weights, rows_a_piece=rows_a_task)
        return SparkReading(exported, folder, rows_a_task=rows_a_task)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _weighting(totals: Any) -> Callable[[Part], Part]:
    return lambda part: (part[0], bm25_weighted(part[1], totals.value))


def _nothing_counted() -> tuple[Ints, Floats, Ints]:
    return np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int64)


def _spark() -> Any:
    """Return the module pyspark; it is imported only where this engine is chosen."""
    try:
        import pyspark
    except ImportError as error:
        raise EngineError("PySpark is not installed: pip install 'reemio[spark]'.") from error
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if os.environ.get("JAVA_HOME") else shutil.which("java")
    if java is None or not Path(java).exists():
        raise EngineError("Spark needs Java 17, and there is none. On Debian: apt install default-jre-headless.")
    # Its “closing connection” comes when nobody listens any more.
    logging.getLogger("py4j").setLevel(logging.WARNING)
    return pyspark


def _on_disk() -> Any:
    return _spark().StorageLevel.DISK_ONLY


def _spark_context() -> Any:
    pyspark = _spark()
    master = settings.REEMIO_SPARK_MASTER
    conf = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    if master.startswith("local"):
        conf |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
                 "spark.pyspark.python": sys.executable}  # fmt: skip
    conf |= settings.REEMIO_SPARK_CONF
    return pyspark.SparkContext(master=master, appName="reemio-train", conf=pyspark.SparkConf().setAll([*conf.items()]))


def _our_modules(folder: Path) -> Path:
    """Return a file with the modules that executors import."""
    root = Path(recommendations.__file__).parent
    path = folder / "reemio-modules.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in SENT:
            archive.write(root / name, f"recommendations/{name}")
    return path
