"""One id from the caller through web, queue and worker to the server that the worker asks; and who did it, nowhere."""

import json
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from pytest_httpserver import HTTPServer

from catalog.models import CatalogSync
from tests.conftest import free_port, running, wait_until

ID = "edge-4711.caller"


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]


def test_an_id_goes_from_the_caller_through_web_and_worker_to_the_catalogues_server(
    committed_database: None, tmp_path: Path, httpserver: HTTPServer
) -> None:
    products = {"results": [{"product_id": "lamp", "title": "Lamp"}], "next": None}
    httpserver.expect_request("/products").respond_with_json(products)
    port = free_port()
    more = {
        "ECOMMERCE_API_URL": httpserver.url_for("/products"), "LOG_FORMAT": "json", "PORT": str(port),
        "REEMIO_WORKER_PROCESSES": "1", "TMPDIR": str(tmp_path),
    }  # fmt: skip
    web, worker = tmp_path / "web.log", tmp_path / "worker.log"
    url = f"http://127.0.0.1:{port}"

    def is_up() -> bool:
        try:
            return httpx.get(f"{url}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    start = ["deploy/start"]
    with (
        running(["web"], web, until=is_up, program=start, more={**more, "REEMIO_WEB_WORKERS": "1"}),
        running(["worker"], worker, until=lambda: "ready." in worker.read_text(), program=start, more=more),
    ):
        pressed = _press_the_button(url)
        assert (pressed.status_code, pressed.headers["X-Request-ID"]) == (302, ID)
        wait_until(lambda: CatalogSync.objects.filter(state="succeeded").exists(), worker.read_text)
    (asked, _), *_more = httpserver.log
    assert asked.headers["X-Request-ID"] == ID
    told = [line for line in lines(worker) if line.get("request_id") == ID]
    assert told, worker.read_text()
    assert {line.get("task_id") for line in told} - {None} != set(), "the task's own id stands beside it"
    assert "wanjiru" not in web.read_text() + worker.read_text(), "nor who pressed it"


def _press_the_button(url: str) -> httpx.Response:
    boss = User.objects.create_superuser("wanjiru")
    signed_in = Client()
    signed_in.force_login(boss)
    page = signed_in.get("/admin/catalog/catalogsync/")
    token = str(page.context["csrf_token"])
    cookies = f"{settings.SESSION_COOKIE_NAME}={signed_in.cookies[settings.SESSION_COOKIE_NAME].value}; "
    cookies += f"csrftoken={signed_in.cookies['csrftoken'].value}"
    return httpx.post(
        f"{url}/admin/catalog/catalogsync/run/",
        data={"csrfmiddlewaretoken": token}, headers={"Cookie": cookies, "X-Request-ID": ID, "Referer": url},
    )  # fmt: skip
