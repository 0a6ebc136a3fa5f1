"""A shop of another origin than Reemio's, as most shops are: pages of its own, and `reemio.js` on them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext
from pytest_django.live_server_helper import LiveServer
from pytest_httpserver import HTTPServer

from catalog.models import Product
from recommendations.recorder import recorder
from tests.browsing import DESKTOP, browser, forget_engine
from tests.conftest import free_port
from tests.storefront.test_tracker_file import TRACKER

Serve = Callable[..., str]


@pytest.fixture
def products(committed_database: None) -> list[Product]:
    """Twelve lamps in stock."""
    forget_engine()
    return Product.objects.bulk_create(
        Product(
            product_id=f"lamp-{number}", title=f"Lamp {number}", category="Lamps", price=Decimal(number),
            currency="EUR", url=f"/lamp-{number}", image_url="", stock_quantity=5,
        )
        for number in range(1, 13)
    )  # fmt: skip


@pytest.fixture
def reemio(live_server: LiveServer, products: list[Product]) -> Iterator[str]:
    """Reemio's address, which is another origin than the shop's."""
    yield live_server.url
    recorder.close()


class Gate:
    """An address of Reemio's that answers nothing until it is opened, and then is Reemio's own."""

    def __init__(self, behind: str) -> None:
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self._behind = urlsplit(behind)
        self._listener: socket.socket | None = None

    def open(self) -> None:
        """Answer from here on."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Answer no more."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None

    def _listen(self) -> None:
        listener = self._listener
        with suppress(OSError):
            while listener is not None:
                front, _ = listener.accept()
                back = socket.create_connection((self._behind.hostname, self._behind.port))
                for here, there in ((front, back), (back, front)):
                    threading.Thread(target=_pass_on, args=(here, there), daemon=True).start()


def _pass_on(here: socket.socket, there: socket.socket) -> None:
    with suppress(OSError):
        while data := here.recv(65536):
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)


@pytest.fixture
def gate(reemio: str) -> Iterator[Gate]:
    """Reemio behind a gate that is closed."""
    gate = Gate(reemio)
    yield gate
    gate.close()


@pytest.fixture
def serve(reemio: str, httpserver: HTTPServer) -> Serve:
    """Put a page into the shop, with the tag on it: `serve(path, body, tag=…)` returns its address."""

    def page(path: str, body: str = "", tag: str = "", head: str = "") -> str:
        script = f'<script async src="{reemio}/static/reemio/{TRACKER.name}" {tag}></script>'
        style = f'<link rel="stylesheet" href="{reemio}/static/reemio/{TRACKER.with_suffix(".css").name}">'
        html = f'<!doctype html><html lang="en"><title>Shop</title>{style}{script}{head}<body>{body}'
        httpserver.expect_request(path).respond_with_data(html, content_type="text/html")
        return httpserver.url_for(path)

    httpserver.expect_request("/favicon.ico").respond_with_data("")
    return page


@pytest.fixture
def visit(reemio: str) -> Iterator[BrowserContext]:
    """A desktop browser that has never been here."""
    with browser(**DESKTOP) as context:
        yield context
