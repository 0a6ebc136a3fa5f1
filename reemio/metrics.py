"""What `/metrics` tells: what the web processes counted, and figures that are read when somebody asks.

Counters and histograms live in the processes that make them; with `PROMETHEUS_MULTIPROC_DIR` set, as `deploy/start web`
does, every web process answers for all of them. Gauges are read from the database and Redis, so that they are the same
whoever is asked, and at most every few seconds, however many ask.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)
KEEP_SECONDS = 10.0

Values = float | Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure read on request. `read` gives a number, numbers by the values of `label`, or None for "nothing to tell".

    `total` marks what only ever grows.
    """

    name: str
    text: str
    read: Callable[[], Values]
    label: str = ""
    total: bool = False


class Gauges(Collector):
    """Reads its gauges one by one; one that cannot be read is left out and counted, and hides no other."""

    def __init__(self, gauges: Sequence[Gauge]) -> None:
        """Take the gauges; nothing is read yet."""
        self._gauges = gauges
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._kept: list[Metric] = []

    def describe(self) -> Iterable[Metric]:
        """Tell nothing beforehand: registering must not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what was read within the last few seconds, or read again."""
        with self._lock:
            if time.monotonic() - self._read_at > KEEP_SECONDS:
                self._kept = self._read()
                self._read_at = time.monotonic()
            yield from self._kept

    def _read(self) -> list[Metric]:
        metrics: list[Metric] = []
        unread = GaugeMetricFamily("reemio_unread_gauges", "Gauges that could not be read this time.", labels=["gauge"])
        for gauge in self._gauges:
            try:
                values = gauge.read()
            except Exception as error:  # whatever it is: the others are told all the same
                log.warning("gauge_unread", gauge=gauge.name, error=f"{type(error).__name__}: {error}")
                unread.add_metric([gauge.name], 1)
                continue
            if values is not None:
                metrics.append(_metric(gauge, values))
        return [*metrics, unread]


def _metric(gauge: Gauge, values: float | Mapping[str, float]) -> Metric:
    family = CounterMetricFamily if gauge.total else GaugeMetricFamily
    metric = family(gauge.name, gauge.text, labels=[gauge.label] if gauge.label else [])
    if isinstance(values, Mapping):
        for name, value in sorted(values.items()):
            metric.add_metric([name], value)
    else:
        metric.add_metric([], values)
    return metric


def exposition(gauges: Gauges) -> bytes:
    """Return everything in Prometheus' text format."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no annotations
        registry.register(gauges)
        return generate_latest(registry)
    registry.register(gauges)
    return generate_latest(REGISTRY) + generate_latest(registry)
