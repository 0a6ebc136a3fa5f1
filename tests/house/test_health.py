"""Alive, ready, measured: what orchestrators and scrapers are told."""

import pytest
from django.test import Client, RequestFactory
from pytest_django import Settings

from reemio import health


def test_healthz_says_that_the_process_is_up_and_asks_nobody(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["Cache-Control"] == "no-store"


def test_readyz_is_200_when_every_check_is_well() -> None:
    response = health.readyz({"one": lambda: None})(RequestFactory().get("/readyz"))
    assert response.status_code == 200
    assert response.content == b'{"status": "ok", "checks": {"one": "ok"}}'


def test_readyz_tells_details_only_when_all_is_well() -> None:
    details = {"stage": lambda: "off"}
    ready = health.readyz({"one": lambda: None}, details)(RequestFactory().get("/readyz"))
    assert ready.content == b'{"status": "ok", "checks": {"one": "ok"}, "stage": "off"}'
    unlucky = health.readyz({"one": lambda: None}, {"stage": lambda: 1 // 0})(RequestFactory().get("/readyz"))
    assert unlucky.content == b'{"status": "ok", "checks": {"one": "ok"}, "stage": "not known"}'
    not_ready = health.readyz({"one": lambda: "away"}, details)(RequestFactory().get("/readyz"))
    assert not_ready.content == b'{"status": "unavailable", "checks": {"one": "away"}}'


def test_readyz_is_503_and_names_what_is_not() -> None:
    def broken() -> str | None:
        raise ConnectionError("secret details of the network")

    view = health.readyz({"one": lambda: None, "two": lambda: "not loaded", "three": broken})
    response = view(RequestFactory().get("/readyz"))
    assert response.status_code == 503
    assert b'"one": "ok", "two": "not loaded", "three": "not reachable"' in response.content
    assert b"secret" not in response.content


def test_only_reading_is_allowed(client: Client) -> None:
    assert [client.post(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [405, 405, 405]


@pytest.mark.django_db
def test_the_real_checks_ask_the_real_servers() -> None:
    assert health.database() is None
    assert health.cache() is None
    assert health.MigrationsApplied()() is None


@pytest.mark.django_db
def test_a_migration_that_is_not_applied_is_told_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    check = health.MigrationsApplied()
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda *_: ["one"])
    assert check() == "not applied"
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda *_: [])
    assert check() is None


@pytest.mark.django_db
def test_the_served_readyz_names_all_that_a_reader_needs(client: Client) -> None:
    body = client.get("/readyz").json()
    assert set(body["checks"]) >= {"database", "cache", "migrations", "embedding_model"}


def test_metrics_are_prometheus_text(client: Client) -> None:
    client.get("/healthz")
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"django_http_requests_total_by_method_total" in response.content


def test_metrics_may_ask_for_a_token(client: Client, settings: Settings) -> None:
    settings.REEMIO_METRICS_TOKEN = "sesame"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer sesame"}).status_code == 200


def test_probes_are_answered_though_they_name_a_pods_address(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [".shop.example"]
    assert client.get("/healthz", headers={"Host": "10.1.2.3:8000"}).status_code == 200
    assert client.get("/api/v1/search?q=x", headers={"Host": "10.1.2.3:8000"}).status_code == 400
