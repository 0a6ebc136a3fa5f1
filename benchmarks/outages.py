"""Mixed reads and writes at the machine's limit, while worker, Redis, PostgreSQL and a web process are killed in turn.

    python -m benchmarks.outages [--seconds 300] [--clients 8]

Everything is its own: private servers in a temporary folder, web (two processes), worker and beat as `deploy/start`
runs them. Each client sends an event until it is answered 2xx and then never again; at the end every answered event has
to be in the database exactly once. Errors may be 503 with `Retry-After` or a refused connection, only around an outage.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.server import free_port

PRODUCTS, USERS = 500, 200
# Around an outage of this many seconds, callers are asked to come again.
GRACE_SECONDS = 15.0


@dataclass
class Tally:
    """What the clients saw: answers by status, when errors came, which events were accepted."""

    answers: Counter[str] = field(default_factory=Counter)
    errors: list[tuple[float, str]] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    without_retry_after: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def main() -> None:
    """Run, print what was found, and fail where an event was lost or doubled, or an error came out of season."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reemio-outages-") as folder, private_servers(Path(folder)) as state:
        sys.exit(measure(state, seconds=options.seconds, clients=options.clients))


@contextmanager
def private_servers(folder: Path) -> Iterator[Path]:
    """Start a PostgreSQL and a Redis of our own, migrated and with a small shop; stop them at the end."""
    for name in [name for name in os.environ if name.startswith(("POSTGRES_", "REDIS_", "DATABASE_URL"))]:
        del os.environ[name]
    os.environ |= {
        "REEMIO_STATE_DIR": str(folder), "LOG_LEVEL": "ERROR", "APP_ENV": "development",
        "REEMIO_THROTTLE_READ": "100000000/min", "REEMIO_THROTTLE_WRITE": "100000000/min",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(folder),
    }  # fmt: skip
    from reemio.embedded import servers

    os.environ["DATABASE_URL"] = servers.postgres_url(folder)
    os.environ["REDIS_URL"] = servers.redis_url(folder)
    manage("migrate", "--verbosity", "0")
    catalogue = folder / "products.csv"
    rows = "".join(f"product-{n},Product number {n},Aisle {n % 20},{1 + n % 90}.90\n" for n in range(PRODUCTS))
    catalogue.write_text("product_id,title,category,price\n" + rows)
    manage("sync_products", "--source", "file", "--path", str(catalogue))
    try:
        yield folder
    finally:
        servers.stop_all(folder)


def manage(*words: str) -> None:
    """Run a management command on these servers."""
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


class Processes:
    """Web, worker and beat; what is killed comes back, as an orchestrator would see to."""

    def __init__(self, port: int, logs: Path) -> None:
        self.port, self._logs = port, logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start one of them."""
        environment = os.environ | {"PORT": str(self.port), "REEMIO_STOP_SECONDS": "5"}
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["deploy/start", name], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """Kill one with all its children, without a word, and start it again."""
        os.killpg(self._running[name].pid, signal.SIGKILL)
        self._running[name].wait()
        self.start(name)

    def kill_one_web_process(self) -> None:
        """Kill one of the web processes; their supervisor makes another."""
        supervisor = self._running["web"].pid
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)

    def stop(self) -> None:
        """End all of them."""
        for process in self._running.values():
            os.killpg(process.pid, signal.SIGTERM)
        for process in self._running.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def measure(state: Path, *, seconds: float, clients: int) -> int:
    """Run the load and the outages; return the exit status."""
    from reemio.embedded import postgres, redis

    processes = Processes(free_port(), state)
    for name in ("web", "worker", "beat"):
        processes.start(name)
    url = f"http://127.0.0.1:{processes.port}"
    try:
        wait_for(lambda: status_of(f"{url}/readyz") == 200, seconds=120)
        outages: list[tuple[float, str, Callable[[], object]]] = [
            (0.15, "worker killed", lambda: processes.kill("worker")),
            (0.30, "Redis restarted", lambda: (redis.stop(state / "redis"), redis.ensure_running(state / "redis"))),
            (0.50, "PostgreSQL restarted",
             lambda: (postgres.stop(state / "postgres"), postgres.ensure_running(state / "postgres"))),
            (0.75, "a web process killed", processes.kill_one_web_process),
        ]  # fmt: skip
        tally, happened = load(url, seconds=seconds, clients=clients, outages=outages)
        wait_for(lambda: waiting(state) == 0, seconds=120)
        return report(tally, happened, seconds)
    finally:
        processes.stop()


def load(
    url: str, *, seconds: float, clients: int, outages: list[tuple[float, str, Callable[[], object]]]
) -> tuple[Tally, list[tuple[str, float, float]]]:
    """Let the clients work, and the outages happen; return what was seen, and when each outage began and ended."""
    tally, began, ended = Tally(), time.monotonic(), threading.Event()
    threads = [threading.Thread(target=work, args=(url, number, tally, ended)) for number in range(clients)]
    for thread in threads:
        thread.start()
    happened = []
    for share, name, happen in outages:
        time.sleep(max(0.0, began + share * seconds - time.monotonic()))
        start = time.monotonic()
        happen()
        happened.append((name, start, time.monotonic()))
        print(f"{start - began:6.1f} s  {name} ({time.monotonic() - start:.1f} s)", flush=True)
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    ended.set()
    for thread in threads:
        thread.join()
    return tally, happened


def work(url: str, number: int, tally: Tally, ended: threading.Event) -> None:
    """Read three lists, send one event, again and again; an event that was not accepted is sent again, as it was."""
    chance, count = random.Random(number), 0
    while not ended.is_set():
        user = f"user-{chance.randrange(USERS)}"
        product = f"product-{chance.randrange(PRODUCTS)}"
        for path in (f"homepage?user_id={user}", f"product/{product}", f"cart?product_ids={product}"):
            ask(f"{url}/api/v1/recommendations/{path}", None, tally)
        count += 1
        name = f"{number}-{count}"
        event = {"user_id": user, "product_id": product, "interaction_type": "view", "event_id": name}
        while not ask(f"{url}/api/v1/interactions", event, tally):
            if ended.wait(0.5):
                return
        with tally.lock:
            tally.accepted.append(name)


def ask(url: str, event: dict[str, str] | None, tally: Tally) -> bool:
    """Ask once and count the answer; return whether it was a 2xx."""
    body = None if event is None else json.dumps(event).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            response.read()
            kind = str(response.status)
    except urllib.error.HTTPError as error:
        kind = str(error.code)
        if error.code == 503 and not error.headers.get("Retry-After"):
            with tally.lock:
                tally.without_retry_after += 1
    except (OSError, ConnectionError) as error:
        kind = "no connection" if isinstance(error, urllib.error.URLError) else type(error).__name__
    with tally.lock:
        tally.answers[kind] += 1
        if not kind.startswith("2"):
            tally.errors.append((time.monotonic(), kind))
    return kind.startswith("2")


def report(tally: Tally, happened: list[tuple[str, float, float]], seconds: float) -> int:
    """Print the figures; return 1 where something is wrong."""
    stored = query("SELECT event_id, count(*) FROM user_interactions WHERE event_id IS NOT NULL GROUP BY 1")
    lost = [name for name in tally.accepted if name not in stored]
    doubled = [name for name, count in stored.items() if count > 1]
    astray = [
        (moment, kind) for moment, kind in tally.errors
        if not any(start - 1 <= moment <= end + GRACE_SECONDS for _, start, end in happened)
    ]  # fmt: skip
    bad = {kind: count for kind, count in tally.answers.items() if kind.startswith("5") and kind != "503"}
    print(f"\n{sum(tally.answers.values()) / seconds:.0f} requests a second; answers: {dict(tally.answers)}")
    for name, start, end in happened:
        during = [moment for moment, _ in tally.errors if start - 1 <= moment <= end + GRACE_SECONDS]
        last = max(during, default=start) - start
        print(f"{name}: {len(during)} errors, the last {last:.1f} s after it began")
    print(f"events accepted: {len(tally.accepted)}, lost: {len(lost)}, doubled: {len(doubled)}")
    print(f"errors out of season: {len(astray)}; 5xx other than 503: {bad}")
    print(f"503 without Retry-After: {tally.without_retry_after}")
    written = query("SELECT 1, count(*) FROM served_lists")[1]
    print(f"lists written down: {written}")
    return int(bool(lost or doubled or astray or bad or tally.without_retry_after))


def query(statement: str) -> dict[object, int]:
    """Return pairs from the database."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], options="-c search_path=recommender,public") as connection:
        return dict(connection.execute(statement).fetchall())


def waiting(state: Path) -> int:
    """Return how many events the worker has not folded yet."""
    return query("SELECT 1, count(*) FROM fresh_interactions")[1]


def status_of(url: str) -> int:
    """Return the status of an answer, 0 where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return int(error.code)
    except OSError:
        return 0


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    """Wait until it is so; give up loudly."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"Not so after {seconds} s.")
        time.sleep(0.2)


if __name__ == "__main__":
    main()
