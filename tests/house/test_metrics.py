"""What `/metrics` tells is true, whole over all web processes, documented, and survives a store that is away."""

import re
from pathlib import Path

import httpx
import pytest
from django.test import Client
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from analytics.rollups.run import roll_up
from catalog.models import Product
from recommendations.metrics import STAGES
from recommendations.recorder import recorder
from reemio.gauges import GAUGES
from reemio.metrics import Gauge, Gauges, exposition
from reemio.pulse.models import TaskPulse
from reemio.pulse.record import record_run

ROOT = Path(__file__).resolve().parent.parent.parent


def samples(text: str) -> dict[str, float]:
    """Return every sample by `name` or `name{label=value}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.mark.django_db
def test_every_metric_of_ours_is_documented_and_no_other(client: Client) -> None:
    assert client.get("/metrics").status_code == 200
    counted = {metric.name + "_total" * (metric.type == "counter") for metric in REGISTRY.collect()}
    read = {gauge.name + "_total" * gauge.total for gauge in GAUGES._gauges} | {"reemio_unread_gauges"}
    ours = {name for name in counted if name.startswith("reemio_")} | read
    assert ours == set(re.findall(r"`(reemio_[a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text()))


@pytest.mark.django_db
def test_a_gauge_that_cannot_be_read_hides_no_other() -> None:
    def broken() -> float:
        raise ConnectionError("away")

    text = exposition(Gauges([Gauge("one", "One.", broken), Gauge("two", "Two.", lambda: 2.0)])).decode()
    found = samples(text)
    assert (found.get("one"), found["two"], found["reemio_unread_gauges{gauge=one}"]) == (None, 2.0, 1.0)


@pytest.mark.django_db
def test_runs_and_failures_of_a_task_add_up() -> None:
    record_run(task="shop.fold", seconds=1.5)
    record_run(task="shop.fold", seconds=0.5, error="ValueError")
    record_run(task="shop.fold", seconds=1.0)
    row = TaskPulse.objects.get(task="shop.fold")
    assert (row.runs, row.failures, row.seconds, row.last_seconds, row.last_error) == (3, 1, 3.0, 1.0, "ValueError")
    assert row.last_succeeded_at == row.last_ended_at


@pytest.mark.django_db
def test_a_failure_does_not_count_as_success() -> None:
    record_run(task="shop.train", seconds=1.0, error="MemoryError")
    assert TaskPulse.objects.get(task="shop.train").last_succeeded_at is None


def test_web_processes_answer_for_each_other(granian_server_of_two: str) -> None:
    for _ in range(40):
        assert httpx.get(f"{granian_server_of_two}/api/v1/recommendations/homepage").status_code == 200
    name = "reemio_list_seconds_count{placement=homepage,strategy=popular}"
    for _ in range(8):  # whichever process answers
        assert samples(httpx.get(f"{granian_server_of_two}/metrics").text)[name] == 40.0


@pytest.mark.django_db
def test_the_business_of_the_day_and_each_stage_of_a_list_are_told(client: Client) -> None:
    Product.objects.create(product_id="lamp", title="Lamp", price=5, currency="KES", stock_quantity=3)
    shown = client.get("/api/v1/recommendations/homepage?user_id=ann").json()
    event = {"user_id": "ann", "product_id": "lamp", "recommendation_request_id": shown["request_id"]}
    for kind, more in (("recommendation_view", {}), ("recommendation_click", {}), ("purchase", {"order_id": "o"})):
        body = {"interaction_type": kind, "recommendation_context": "homepage", **event, **more}
        body |= {"unit_price": "5.00", "currency": "KES", "quantity": 2} if kind == "purchase" else {}
        assert client.post("/api/v1/interactions", body, content_type="application/json").status_code == 201
    recorder.close()
    roll_up()
    told = exposition(Gauges(GAUGES._gauges)).decode()
    for line in (
        'reemio_today{what="impressions"} 1.0', 'reemio_today{what="clicks"} 1.0',
        'reemio_today{what="conversions"} 1.0', 'reemio_today_revenue{currency="KES"} 10.0',
        'reemio_today_attributed_revenue{currency="KES"} 10.0', 'reemio_today_mails{outcome="sent"} 0.0',
    ):  # fmt: skip
        assert line in told
    for stage in STAGES:
        assert f'reemio_stage_seconds_count{{stage="{stage}"}}' in told
