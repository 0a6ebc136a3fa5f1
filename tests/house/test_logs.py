"""The logs tell what happened and to which request, and nothing about whom."""

import io
import json
import logging
from collections.abc import Iterator
from logging.config import DictConfigurator  # type: ignore[attr-defined]
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from reemio.logs import logging_config

pytestmark = pytest.mark.urls(__name__)


def look_up(request: HttpRequest, user_id: str) -> HttpResponse:
    """Answer, or break for one name."""
    if user_id == "broken":
        secret = "akinyi@example.com"
        raise RuntimeError("it broke" if secret else "")
    return HttpResponse(user_id, status=404 if user_id == "nobody" else 200)


from reemio.urls import urlpatterns as served  # noqa: E402

urlpatterns = [path("api/v1/users/<user_id>", look_up), *served]


@pytest.fixture(params=["json", "console"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the handler writes in either format, at the level DEBUG."""
    config = logging_config(level="DEBUG", output=request.param)
    configurator = DictConfigurator(config)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(configurator.configure_formatter(config["formatters"]["structured"]))
    handler.addFilter(configurator.configure_filter(config["filters"]["once"]))
    noted = logging.getLogger("django_structlog")
    before = noted.level
    noted.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)
    noted.setLevel(before)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    text = stream.getvalue()
    return [json.loads(line) for line in text.splitlines()] if text.startswith("{") else []


@pytest.mark.parametrize("user", ["wanjiku-muthoni", "nobody", "broken"])
def test_no_log_tells_who_asked(written: io.StringIO, user: str) -> None:
    client = Client(raise_request_exception=False)
    client.get(
        f"/api/v1/users/{user}?email=otieno@example.com", headers={"User-Agent": "kipchoge"}, REMOTE_ADDR="10.9.8.7"
    )
    text = written.getvalue()
    assert "/api/v1/users/<user_id>" in text
    for personal in ("wanjiku", "nobody", "otieno", "akinyi", "10.9.8.7"):
        assert personal not in text


def test_every_line_of_a_request_carries_its_id_and_so_does_the_answer(written: io.StringIO) -> None:
    response = Client().get("/api/v1/users/wanjiku-muthoni")
    assert len(response["X-Request-ID"]) == 36
    assert response["X-Request-ID"] in written.getvalue()
    assert {line["request_id"] for line in lines(written)} <= {response["X-Request-ID"]}
    assert {line["event"] for line in lines(written)} <= {"request_started", "request_finished"}


def test_what_broke_is_logged_with_its_traceback_once(written: io.StringIO) -> None:
    Client(raise_request_exception=False).get("/api/v1/users/broken")
    assert written.getvalue().count("RuntimeError: it broke") == 1
    assert [line["level"] for line in lines(written) if "exception" in line] in ([], ["error"])


def test_probes_do_not_fill_the_logs(written: io.StringIO) -> None:
    Client().get("/healthz")
    assert "request_finished" not in written.getvalue()


def test_a_line_of_json_is_flat_and_says_when_and_where(written: io.StringIO) -> None:
    logging.getLogger("catalog.sync").warning("catalogue_%s", "synced")
    for line in lines(written):
        assert line["event"] == "catalogue_synced"
        assert line["logger"] == "catalog.sync"
        assert line["timestamp"].endswith("Z")


def test_a_refused_form_is_logged_without_the_address_that_it_was_sent_to(written: io.StringIO) -> None:
    Client(enforce_csrf_checks=True).post("/admin/interactions/shopper/ann@example.com/change/")
    lines = written.getvalue()
    assert "403" in lines
    assert "ann@example.com" not in lines
