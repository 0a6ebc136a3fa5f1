"""Spark learns from the same events what the local engine learns, to the last bit."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import Product
from interactions.models import Interaction
from recommendations.forward_decay import Counted, corrected
from recommendations.learning.engines import spark
from recommendations.learning.reading import read_events
from recommendations.learning.train import train
from recommendations.models import (
    ModelVersion,
    NeighbourList,
    ProductLevels,
    ProductPopularity,
    ShopperNeighbourhood,
)
from recommendations.selectors import event_weights
from tests.recommendations.conftest import NOW

JAVA = bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
NEEDS_SPARK = pytest.mark.skipif(
    not (JAVA and find_spec("pyspark")),
    reason="Spark needs Java and PySpark: apt install default-jre-headless; pip install 'reemio[spark]'",
)
pytestmark = pytest.mark.django_db
KINDS = ["view", "view", "view", "cart_add", "wishlist_add", "cart_remove", "purchase", "recommendation_view"]


@pytest.fixture
def shop() -> None:
    """Two thousand events of 90 products: shoppers alike to the event, sessions, orders, a reseller."""
    chance = random.Random(5)
    products = [f"p-{number}" for number in range(90)]
    Product.objects.bulk_create(Product(product_id=one, title=one, category=f"c-{number % 4}", price=1)
                                for number, one in enumerate([*products, "silent"]))  # fmt: skip
    events = []
    for person in range(110):
        who: dict[str, Any] = {"user_id": f"u-{person}"} if person % 3 else {"session_id": f"s-{person}"}
        # Every other shopper does what the one before did: scores and supports tie everywhere.
        chance.seed(person // 2)
        for number in range(chance.randrange(1, 36)):
            kind = chance.choice(KINDS)
            product = products[min(int(chance.expovariate(0.06)), 89)]
            when = NOW - timedelta(days=chance.randrange(0, 900), seconds=chance.randrange(5))
            order = f"o-{person}-{number // 5}" if kind == "purchase" else None
            events.append(
                Interaction(interaction_type=kind, product_id=product, occurred_at=when, order_id=order, **who)
            )
    for number, product in enumerate(products):
        events.append(Interaction(interaction_type="purchase", product_id=product, user_id="reseller",
                                  occurred_at=NOW - timedelta(days=number), order_id="o-all"))  # fmt: skip
    chance.shuffle(events)
    Interaction.objects.bulk_create(events)


def learned(version: ModelVersion) -> dict[str, Any]:
    """Return all that a version holds, and popularity."""
    return {
        "lists": list(NeighbourList.objects.filter(version=version).order_by("kind", "product_id")
                      .values_list("kind", "product_id", "neighbours", "scores", "supports")),
        "shoppers": list(ShopperNeighbourhood.objects.filter(version=version).order_by("user_id", "kind")
                         .values_list("user_id", "kind", "products", "scores", "supports")),
        "levels": list(ProductLevels.objects.filter(version=version).order_by("code")
                       .values_list("code", "products", "values")),
        "popularity": list(ProductPopularity.objects.order_by("-score", "product_id")
                           .values_list("product_id", "score", "shoppers")),
    }  # fmt: skip


@pytest.mark.slow
@NEEDS_SPARK
def test_spark_learns_what_the_local_engine_learns(shop: None, settings: Any, tmp_path: Path) -> None:
    # The last days lie behind the moment: they count for popularity, and for nothing else.
    moment = NOW - timedelta(days=3)
    local = train(as_of=moment)
    expected, figures = learned(local), local.figures
    # Small tasks: several pieces, parts and spans, as many events have.
    settings.REEMIO_TRAINING_ENGINE, settings.REEMIO_SPARK_MASTER = "spark", "local[2]"
    settings.REEMIO_SPARK_DIR, settings.REEMIO_SPARK_ROWS_A_TASK = str(tmp_path), 700
    version = train(as_of=moment)
    found = learned(version)
    assert {kind for kind, *_ in found["lists"]} == {"item_to_item", "together"}
    assert len(found["lists"]) > 100
    for name in expected:
        assert found[name] == expected[name], name
    assert {name: version.figures[name] for name in ("events", "persons", "products", "item_to_item")} == {
        name: figures[name] for name in ("events", "persons", "products", "item_to_item")
    }
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def reading(shop: None, settings: Any, tmp_path: Path) -> Iterator[Any]:
    settings.REEMIO_SPARK_DIR, settings.REEMIO_SPARK_ROWS_A_TASK = str(tmp_path), 500
    reading = spark.read(until=NOW, event_weights=event_weights())
    yield reading
    reading.close()
    assert list(tmp_path.iterdir()) == []


@NEEDS_SPARK
def test_what_is_learned_here_is_learned_from_the_latest_days_that_fit(reading: Any, settings: Any) -> None:
    everything = read_events(until=NOW, event_weights=event_weights())
    assert len(reading.recent) == len(everything) == reading.figures["events"]
    settings.REEMIO_SPARK_RECENT_EVENTS = 300
    del reading.recent
    moments = np.sort(everything.moment)[::-1]
    assert 250 < len(reading.recent) <= 300
    assert np.array_equal(np.sort(reading.recent.moment)[::-1], moments[: len(reading.recent)])


@NEEDS_SPARK
def test_executors_need_nothing_but_numpy_scipy_and_what_is_sent(reading: Any, tmp_path: Path) -> None:
    archive = spark._our_modules(tmp_path)
    program = "import sys; sys.path.insert(0, sys.argv[1]); from recommendations.learning.engines import parts as p;"
    program += " print(p.__file__, sorted({'django', 'pyspark', 'psycopg'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program, str(archive)], cwd="/", capture_output=True, text=True)
    assert done.stdout.strip() == f"{archive}/recommendations/learning/engines/parts.py []", done.stderr
    archive.unlink()


def test_without_java_training_says_so_and_nothing_has_happened(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.REEMIO_TRAINING_ENGINE, settings.REEMIO_SPARK_DIR = "spark", str(tmp_path)
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(CommandError, match="Spark needs Java 17"):
        call_command("train")
    assert not ModelVersion.objects.exists()
    assert list(tmp_path.iterdir()) == []


def test_without_pyspark_training_names_the_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REEMIO_TRAINING_ENGINE = "spark"
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(CommandError, match=r"pip install 'reemio\[spark\]'"):
        call_command("train")
    assert not ModelVersion.objects.exists()


def counted(**sums: tuple[float, int]) -> Counted:
    """Return products p1, p2, … with their sums and numbers of events."""
    rows = sorted((int(name[1:]), score, events) for name, (score, events) in sums.items())
    ids, scores, events = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(ids, np.int64), np.array(scores, np.float64), np.array(events, np.int64)


def test_what_was_folded_while_spark_counted_is_kept() -> None:
    then = counted(p1=(5.0, 5), p2=(2.0, 2), p4=(1.0, 1))
    found = counted(p1=(5.5, 5), p2=(2.5, 2), p3=(9.0, 3))
    now = counted(p1=(5.0, 5), p2=(3.0, 3), p4=(1.0, 1), p5=(1.5, 1))
    ids, scores, events = corrected(now, then, found)
    # 1 was not touched meanwhile, 2 and 5 were; 4 was kept of events that are gone.
    assert (ids.tolist(), scores.tolist(), events.tolist()) == ([1, 2, 3, 5], [5.5, 3.5, 9.0, 1.5], [5, 3, 3, 1])
