"""Requests that we send to other servers: only where they should go, for so long, and no more than we can hold.

A name is resolved once, its addresses are checked, and the connection goes to the checked address, so that no second
answer of a name server leads elsewhere. Loopback, private, link-local and other special ranges are refused unless
`REEMIO_OUTGOING_NETWORKS` names them, in whatever form an address comes (decimal, mapped into IPv6, 6to4, NAT64).
A proxy that the environment names is not used: it would resolve for itself.
"""

import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore
import httpx
import structlog
from django.conf import settings

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class OutgoingError(Exception):
    """The other side may not be asked, or answered in a way that is refused; trying again will not help."""


def is_allowed(address: Address) -> bool:
    """Tell whether we may connect to an address: a public one, or one of `REEMIO_OUTGOING_NETWORKS`."""
    known = _unwrapped(address)
    for network in settings.REEMIO_OUTGOING_NETWORKS:
        if known in ipaddress.ip_network(network):
            return True
    return known.is_global and not known.is_multicast and not known.is_reserved


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and (address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1)):
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return inner or address
    return address


class _Bounded(httpcore.NetworkStream):
    """A stream that ends at a deadline, however slowly the other side talks."""

    def __init__(self, stream: httpcore.NetworkStream, transport: "Outgoing") -> None:
        self._stream = stream
        self._transport = transport

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, left), self._transport)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[Exception]) -> float:
        left = self._transport.deadline - time.monotonic()
        if left <= 0:
            raise error(f"took longer than {self._transport.seconds:g} s")
        return left if timeout is None else min(left, timeout)


class _Checked(httpcore.SyncBackend):
    """Resolves, checks, and connects to what was checked."""

    def __init__(self, transport: "Outgoing") -> None:
        self._transport = transport

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        addresses = _resolved(host, port)
        refused = [address for address in addresses if not is_allowed(address)]
        if refused:
            raise OutgoingError(f"{host} leads to {refused[0]}, which REEMIO_OUTGOING_NETWORKS does not allow.")
        for place, address in enumerate(addresses):
            try:
                stream = super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if place + 1 == len(addresses):
                    raise
            else:
                return _Bounded(stream, self._transport)
        raise httpcore.ConnectError(f"{host} has no address.")


def _resolved(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be resolved: {error}") from error
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


class Outgoing(httpx.HTTPTransport):
    """The transport of all our requests: checked addresses, a deadline for each answer, our request id with it."""

    def __init__(self, *, seconds: float) -> None:
        """`seconds` is the most that a request may take, from connecting to the end of its answer."""
        super().__init__()
        self.seconds = seconds
        self.deadline = float("inf")
        # httpx has no parameter for it; the tests at the wire fail should this stop working.
        self._pool = httpcore.ConnectionPool(ssl_context=httpx.create_ssl_context(), network_backend=_Checked(self))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its answer has to be read before the next one is sent."""
        self.deadline = time.monotonic() + self.seconds
        known = structlog.contextvars.get_contextvars()
        request_id = known.get("request_id") or known.get("task_id")
        if request_id:
            request.headers["X-Request-ID"] = str(request_id)
        return super().handle_request(request)


def body_of(response: httpx.Response, *, most: int) -> bytes:
    """Return the body, unpacked; it is given up once it has more than `most` bytes, packed or unpacked.

    We ask for gzip, and take it or nothing: of other and of repeated encodings a few bytes may unpack to anything.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise OutgoingError(f"an answer in the encoding {encoding[:40]!r}, which was not asked for")
    body = bytearray()
    for chunk in _unpacked(response.iter_raw(), most) if encoding.endswith("gzip") else response.iter_raw():
        body += chunk
        if len(body) > most:
            raise OutgoingError(f"a page larger than {most} bytes")
    return bytes(body)


def _unpacked(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Yield what gzip packed, at most a little more than `most` bytes at a time."""
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in chunks:
            yield unpacker.decompress(chunk, most + 1)
            if unpacker.unconsumed_tail:
                raise OutgoingError(f"a page larger than {most} bytes")
    except zlib.error as error:
        raise OutgoingError(f"an answer that cannot be unpacked: {error}") from error
    if not unpacker.eof:
        raise OutgoingError("an answer that is packed, and ends too early")
