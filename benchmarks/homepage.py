"""The homepage against a bare view that returns the same bytes: latency and throughput, as ratios within one run.

    .venv/bin/python benchmarks/homepage.py [--seconds 10] [--events 20]

Uses the configured database (after `make demo`, the demo's). The reference is a DRF view on the same server that
answers with a homepage's bytes from memory: what the framework itself allows. Clients keep their connections.
"""

import argparse
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ |= {"REEMIO_THROTTLE_READ": "100000000/min", "LOG_LEVEL": "ERROR"}

from reemio.bootstrap import prepare  # noqa: E402

prepare()
PORT = int(os.environ.get("BENCHMARK_PORT", "8099"))
ECHO, HOMEPAGE = "/benchmark/echo", "/api/v1/recommendations/homepage?limit=10&user_id={user}"


def main() -> None:
    """Start the server, find a shopper, measure by turns, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10, help="for each measurement")
    parser.add_argument("--events", type=int, default=20, help="length of the shopper's history")
    options = parser.parse_args()
    user = shopper_with(options.events)
    homepage = HOMEPAGE.format(user=user)
    server = start_server()
    try:
        for path in (homepage, ECHO):
            sequential(path, 1.0)
        latency = {path: sequential(path, options.seconds) for path in (ECHO, homepage)}
        throughput = {path: concurrent(path, options.seconds) for path in (ECHO, homepage, ECHO, homepage)}
    finally:
        stop(server)
    print(f"shopper with about {options.events} events; n = 10")
    print(f"mean latency, sequential:  homepage {latency[homepage]:.2f} ms, bare view {latency[ECHO]:.2f} ms")
    print(f"throughput, 4 clients:     homepage {throughput[homepage]:.0f}/s, bare view {throughput[ECHO]:.0f}/s")
    print(f"throughput ratio:          {throughput[homepage] / throughput[ECHO]:.3f}  (budget: at least 0.4)")


def shopper_with(events: int) -> str:
    """Return the user whose number of events is nearest to `events`."""
    import django

    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT user_id FROM user_interactions WHERE user_id IS NOT NULL AND product_id IS NOT NULL"
            " GROUP BY user_id ORDER BY abs(count(*) - %s), user_id LIMIT 1",
            [events],
        )
        return str(cursor.fetchone()[0])


def start_server() -> subprocess.Popen[bytes]:
    """Start granian as `make run` does, with the reference view beside the product's URLs."""
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(PORT), "--workers", "2",
               "--blocking-threads", "4", "--no-access-log", "benchmarks.homepage_server:application"]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if fetch(http.client.HTTPConnection("127.0.0.1", PORT, timeout=5), "/readyz") == 200:
                return server
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.2)
    stop(server)
    raise SystemExit("The server did not become ready; is the database migrated?")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server with all its workers."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def fetch(connection: http.client.HTTPConnection, path: str) -> int:
    """Send one request and read its answer; return the status."""
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    return response.status


def sequential(path: str, seconds: float) -> float:
    """Return the mean of one client's requests, in milliseconds."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        assert fetch(connection, path) == 200
        count += 1
    return (time.perf_counter() - began) / count * 1000


def concurrent(path: str, seconds: float, clients: int = 4) -> float:
    """Return the requests answered per second to several clients."""
    counts = [0] * clients
    until = time.perf_counter() + seconds

    def run(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
        while time.perf_counter() < until:
            assert fetch(connection, path) == 200
            counts[index] += 1

    threads = [threading.Thread(target=run, args=(index,)) for index in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


if __name__ == "__main__":
    main()
