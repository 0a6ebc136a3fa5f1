"""Model versions appear whole, and a training that fails changes nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from recommendations.learning import train as training
from recommendations.learning.train import train
from recommendations.models import ModelVersion, NeighbourList
from tests.recommendations.conftest import did, make_product

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def orders() -> None:
    for product in ("tent", "stove", "lamp"):
        make_product(product, axis=len(product) * 7)
    for number in range(3):
        for product in ("tent", "stove"):
            did("purchase", product, user=f"camper-{number}", order=f"o{number}", days_ago=10)
    did("purchase", "lamp", user="camper-0", order="o9", days_ago=1)
    did("purchase", "lamp", user="camper-1", order="o8", days_ago=1)


def test_training_makes_one_active_version(orders: None) -> None:
    first, second = train(), train()
    first.refresh_from_db()
    assert (first.state, second.state) == ("retired", "active")
    assert second.figures["events"] == 8
    tent = NeighbourList.objects.get(version=second, kind="together", product__product_id="tent")
    assert (len(tent.neighbours), tent.supports) == (1, [3])


def test_training_as_of_a_moment_learns_nothing_that_came_later(orders: None) -> None:
    version = train(as_of=datetime.now(UTC) - timedelta(days=5), activate=False)
    assert version.figures["events"] == 6
    assert (
        not NeighbourList.objects.filter(version=version, product__product_id="lamp").exclude(kind="content").exists()
    )


def test_a_failed_training_leaves_the_version_before_it_active(orders: None, monkeypatch: pytest.MonkeyPatch) -> None:
    good = train()
    monkeypatch.setattr(training, "content_neighbours", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train()
    failed = ModelVersion.objects.exclude(pk=good.pk).get()
    assert (failed.state, "ZeroDivisionError" in failed.message) == ("failed", True)
    good.refresh_from_db()
    assert good.state == "active"


def test_old_versions_go_and_the_latest_stay(orders: None) -> None:
    versions = [train().pk for _ in range(6)]
    assert list(ModelVersion.objects.values_list("pk", flat=True)) == versions[:1:-1]
    assert set(NeighbourList.objects.values_list("version", flat=True)) == set(versions[2:])


def test_nightly_trainings_keep_the_version_that_undoes_a_tuning(orders: None) -> None:
    untuned = train()
    cart = {"weights": {"content": 1.0}, "rescale": "root", "category_share": 1.0, "brand_share": 1.0, "rerank": False}
    train(settings={"cart": cart})
    nights = [train().pk for _ in range(6)]
    kept = list(ModelVersion.objects.values_list("pk", flat=True))
    assert kept == [*nights[:1:-1], untuned.pk]
    assert NeighbourList.objects.filter(version=untuned).exists()


def test_the_same_events_give_the_same_lists(orders: None) -> None:
    moment = datetime.now(UTC)
    first, second = train(as_of=moment), train(as_of=moment)
    rows = NeighbourList.objects.order_by("kind", "product").values_list(
        "kind", "product", "neighbours", "scores", "supports"
    )
    assert list(rows.filter(version=first)) == list(rows.filter(version=second))
