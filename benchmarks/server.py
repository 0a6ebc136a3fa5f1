"""The product's web server on the loopback interface, and clients that ask it."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from benchmarks.scratch import ROOT

READY_SECONDS = 120
BACKENDS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# The session of each running server, by its port.
_SERVERS: dict[int, int] = {}


class Client:
    """One client that keeps its connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> bytes:
        """Return the body of an answer that has to be a 200."""
        self._connection.request("GET", path)
        response = self._connection.getresponse()
        body = response.read()
        assert response.status == 200, body[:500]
        return body

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Send JSON; return the status and the body."""
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        return response.status, response.read()


@contextmanager
def serving(*, workers: int = 2) -> Iterator[int]:
    """Run granian as `make run` does, the reference view beside the product's own, until the block ends."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", str(workers),
               "--blocking-threads", "4", "--blocking-threads-idle-timeout", "600", "--no-access-log", "--log-level",
               "error", "benchmarks.homepage_server:application"]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    _SERVERS[port] = server.pid
    try:
        _wait_for(port, server)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def sequential(port: int, paths: Sequence[str], *, seconds: float) -> list[float]:
    """Return how long each request of one client took, in milliseconds."""
    client, took = Client(port), []
    until = time.perf_counter() + seconds
    for path in cycle(paths):
        began = time.perf_counter()
        if began > until:
            return took
        client.get(path)
        took.append((time.perf_counter() - began) * 1000)
    return took


def concurrent(port: int, paths: Sequence[str], *, seconds: float, clients: int = 4) -> float:
    """Return the requests answered per second to several clients."""
    counts = [0] * clients
    until = time.perf_counter() + seconds

    def run(index: int) -> None:
        client = Client(port)
        own = cycle(paths[index * len(paths) // clients :] + paths[: index * len(paths) // clients])
        while time.perf_counter() < until:
            client.get(next(own))
            counts[index] += 1

    threads = [threading.Thread(target=run, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            Client(port).get("/readyz")
        except (OSError, AssertionError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit("The server did not become ready.")


def processor_seconds(port: int) -> float:
    """Return what the server's processes and its database's have used of the processors; 0 where /proc does not tell.

    It depends less on what else the machine does than times do.
    """
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        backends = {pid for (pid,) in cursor.fetchall()}
    ticks = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[3]) == _SERVERS[port] or int(folder.name) in backends:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
