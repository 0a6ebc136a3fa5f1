"""Errors and traces reach who is named for them, and tell nothing of who asked."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.conftest import environment, free_port, running, wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
BREAK = """
from reemio.bootstrap import prepare
prepare()
import django
django.setup()
from reemio import observability
observability.set_up(process="web")
import sentry_sdk
secret = "ann@example.com"
try:
    raise RuntimeError("it broke")
except RuntimeError as error:
    sentry_sdk.capture_exception(error)
sentry_sdk.flush(20)
"""


@pytest.fixture
def received(httpserver: HTTPServer) -> list[bytes]:
    """What the receiver got, body by body, unpacked."""
    bodies: list[bytes] = []

    def take(request: Request) -> Response:
        body = request.get_data()
        bodies.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return Response("{}", content_type="application/json")

    httpserver.expect_request("/v1/traces").respond_with_handler(take)
    httpserver.expect_request("/api/1/envelope/").respond_with_handler(take)
    return bodies


def test_an_error_reaches_sentry_without_what_the_process_had_in_hand(
    received: list[bytes], httpserver: HTTPServer
) -> None:
    variables = os.environ | {"SENTRY_DSN": f"http://key@127.0.0.1:{httpserver.port}/1"}
    done = subprocess.run([sys.executable, "-c", BREAK], cwd=ROOT, env=variables, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    told = b"".join(received)
    assert b"it broke" in told
    assert b"RuntimeError" in told
    assert b"ann@example.com" not in told


def test_a_request_leaves_a_trace_that_names_its_route_and_not_its_person(
    committed_database: None, received: list[bytes], httpserver: HTTPServer, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    more = {"OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for(""), "OTEL_BSP_SCHEDULE_DELAY": "100"}
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--no-ws", "reemio.wsgi:application"]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in environment()

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    with running(command, tmp_path / "web.log", until=answers, more=more):
        assert httpx.get(f"{url}/api/v1/users/zuleika@example.com?x=quimby").status_code == 404
        wait_until(lambda: b"api/v1/users/<user_id:user_id>" in b"".join(received), lambda: repr(received))
    told = b"".join(received)
    assert b"reemio-web" in told
    assert b"SELECT" in told
    assert [told[m - 90 : m + 40] for m in range(len(told)) if told.startswith(b"zuleika", m)] == []
    assert b"quimby" not in told
