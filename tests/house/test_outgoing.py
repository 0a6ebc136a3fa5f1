"""What we ask of other servers, seen at the wire: where connections go, how long they last, how much is read."""

import gzip
import ipaddress
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from catalog.sources import SourceError
from catalog.sources.http import HttpSource
from reemio.outgoing import Outgoing, OutgoingError, body_of, is_allowed

MOST = 100_000
LOOPBACK = ["127.0.0.0/8", "::1/128"]


def ask(url: str, *, seconds: float = 10.0, timeout: float = 5.0) -> bytes:
    with httpx.Client(transport=Outgoing(seconds=seconds), timeout=timeout) as client, client.stream("GET", url) as got:
        return body_of(got, most=MOST)


@contextmanager
def talking(say: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that says what it likes to whoever connects; its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                peer, _ = server.accept()
                with peer:
                    peer.recv(65536)
                    say(peer)
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.1", "0.0.0.0",  # noqa: S104  asked, not bound
        "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::1]", "[::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
        "[fe80::1]", "[fd00::1]", "224.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_no_form_of_an_inner_address_is_connected_to(host: str, httpserver: HTTPServer, settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = []
    httpserver.expect_request("/").respond_with_data("secret")
    with pytest.raises(OutgoingError, match="REEMIO_OUTGOING_NETWORKS does not allow"):
        ask(f"http://{host}:{httpserver.port}/")
    assert httpserver.log == []


def test_a_network_that_is_named_may_be_asked_and_no_other(httpserver: HTTPServer, settings: Settings) -> None:
    httpserver.expect_request("/").respond_with_data("hello")
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    assert ask(f"http://127.0.0.1:{httpserver.port}/") == b"hello"
    assert ask(f"http://[::ffff:127.0.0.1]:{httpserver.port}/") == b"hello"
    with pytest.raises(OutgoingError, match=r"leads to 10\.0\.0\.1"):
        ask("http://10.0.0.1/")


def test_a_name_is_resolved_once_and_asked_for_at_the_checked_address(
    httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    httpserver.expect_request("/").respond_with_data("hello")
    asked = names(monkeypatch, {"shop.example": ["127.0.0.1"]})
    assert ask(f"http://shop.example:{httpserver.port}/") == b"hello"
    assert asked == ["shop.example"]
    assert httpserver.log[0][0].headers["Host"] == f"shop.example:{httpserver.port}"


def test_a_name_with_one_inner_address_among_public_ones_is_refused(
    httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = []
    names(monkeypatch, {"shop.example": ["93.184.215.14", "127.0.0.1"]})
    with pytest.raises(OutgoingError, match=r"shop\.example leads to 127\.0\.0\.1"):
        ask(f"http://shop.example:{httpserver.port}/")
    assert httpserver.log == []


def names(monkeypatch: pytest.MonkeyPatch, known: dict[str, list[str]]) -> list[str]:
    """Answer in place of the name server; return what it is asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host not in known:
            return real(host, port, *rest, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_proxy_of_the_environment_is_not_used(
    httpserver: HTTPServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = []
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{httpserver.port}")
    with pytest.raises(OutgoingError):
        ask("http://10.0.0.1/")
    assert httpserver.log == []


@given(st.ip_addresses(v=4))
def test_an_inner_address_is_refused_in_each_dress_of_ipv6(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    dresses = [0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80]
    for dress in dresses:
        assert is_allowed(ipaddress.IPv6Address(dress)) == is_allowed(address)


def test_public_addresses_are_allowed() -> None:
    for address in ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:8.8.8.8"):
        assert is_allowed(ipaddress.ip_address(address))


def test_an_answer_that_drips_is_given_up_at_its_deadline(settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK

    def drip(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"H")
            time.sleep(0.02)

    with talking(drip) as url:
        began = time.monotonic()
        with pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError)):
            ask(url, seconds=0.5, timeout=30)
        assert time.monotonic() - began < 10


def test_a_body_without_an_end_is_given_up_at_its_limit(settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    sent = 0

    def flood(peer: socket.socket) -> None:
        nonlocal sent
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.sendall(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            sent += 0x4000

    with talking(flood) as url, pytest.raises(OutgoingError, match=f"larger than {MOST} bytes"):
        ask(url)
    assert sent < MOST + 20_000_000, "what the sockets' buffers hold came on top"


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("gzip", gzip.compress(b"x" * 50_000_000), "larger than"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"x" * 1_000)), "encoding 'gzip, gzip'"),
        ("br", b"\x0b\x02\x80", "encoding 'br'"),
        ("zstd", b"(\xb5/\xfd", "encoding 'zstd'"),
        ("deflate", zlib.compress(b"x"), "encoding 'deflate'"),
        ("gzip", b"not packed at all", "cannot be unpacked"),
        ("gzip", gzip.compress(b"x" * 1_000)[:-9], "ends too early"),
    ],
)
def test_what_is_packed_oddly_or_to_no_end_is_refused(
    encoding: str, body: bytes, says: str, httpserver: HTTPServer, settings: Settings
) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    httpserver.expect_request("/").respond_with_data(body, headers={"Content-Encoding": encoding})
    with pytest.raises(OutgoingError, match=says):
        ask(httpserver.url_for("/"))


def test_what_is_packed_well_is_read(httpserver: HTTPServer, settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    httpserver.expect_request("/").respond_with_data(gzip.compress(b"x" * MOST), headers={"Content-Encoding": "gzip"})
    assert ask(httpserver.url_for("/")) == b"x" * MOST


def test_the_id_of_a_request_or_a_task_goes_with_what_it_asks(httpserver: HTTPServer, settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = LOOPBACK
    httpserver.expect_request("/").respond_with_data("")
    for known in ({"request_id": "r-1", "task_id": "t-1"}, {"task_id": "t-2"}, {}):
        with structlog.contextvars.bound_contextvars(**known):
            ask(httpserver.url_for("/"))
    assert [request.headers.get("X-Request-ID") for request, _ in httpserver.log] == ["r-1", "t-2", None]


def test_the_catalogue_is_not_fetched_from_inside_in_production(httpserver: HTTPServer, settings: Settings) -> None:
    settings.REEMIO_OUTGOING_NETWORKS = []
    settings.ECOMMERCE_API_URL = httpserver.url_for("/products")
    waits: list[float] = []
    with pytest.raises(SourceError, match="REEMIO_OUTGOING_NETWORKS does not allow"):
        list(HttpSource(sleep=waits.append).pages(updated_since=None, resume_at=""))
    assert (httpserver.log, waits) == ([], []), "asked neither once nor again"
