"""Fixtures that every test may use."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import psycopg
import pytest
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from psycopg.conninfo import make_conninfo
from rest_framework.test import APIClient

from recommendations import search
from recommendations.recorder import recorder
from recommendations.shelf import shelf
from recommendations.spelling import Vocabulary
from recommendations.vectors import vectors

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 90


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test that commits what migrations put into the database: the one before it emptied all tables.

    All of them, not some: a mixture ends in content types that are there twice. And they come last, whatever parameters
    they share with others, since those would find the tables empty.
    """
    committing = [item for item in items if _commits(item)]
    for item in committing:
        item.add_marker(pytest.mark.django_db(transaction=True, serialized_rollback=True), append=False)
    items.sort(key=_commits)


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures or (marker and marker.kwargs.get("transaction")))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> None:
    """Leave the audit trail out of what committing tests get back: the rows that come back write it anew."""
    contents = getattr(connection, "_test_serialized_contents", None)  # set by the test runner where a test commits
    if contents is None:
        return
    rows = json.loads(contents)
    kept = [row for row in rows if row["model"] != "audit.auditentry"]
    connection._test_serialized_contents = json.dumps(kept)  # type: ignore[attr-defined]  # the same


@pytest.fixture
def api() -> APIClient:
    """A client that sends JSON, as a shop's server does, and shows responses of errors instead of raising them."""
    client = APIClient(raise_request_exception=False)
    client.default_format = "json"
    return client


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Begin each test with an empty cache: throttling counters and shared lists are not a test's to inherit."""
    cache.clear()


@pytest.fixture(autouse=True)
def _no_name_of_another_request() -> None:
    """Begin each test without the names that a request of the test before left for the log."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture(autouse=True)
def _no_list_left_over() -> Iterator[None]:
    """Begin without the lists that the test before was served: a thread of its own writes them, outside of any test's
    transaction, so that no roll-back takes them away.
    """
    if str(connection.settings_dict["NAME"]).startswith("test_"):
        with psycopg.connect(environment()["DATABASE_URL"], autocommit=True) as database:
            database.execute(
                "WITH lists AS (DELETE FROM recommender.served_lists), parts AS (DELETE FROM recommender.touched_parts)"
                " DELETE FROM recommender.touched_events"
            )
    shelf.clear()
    vectors.clear()
    search._vocabulary = Vocabulary()
    yield
    recorder.close()


@pytest.fixture
def committed_database(transactional_db: None, django_db_serialized_rollback: None) -> None:
    """A database that other processes see too; what migrations put into it comes back after each test."""


@pytest.fixture
def granian_server(committed_database: None, tmp_path: Path) -> Iterator[str]:
    """The real web server on a free port, on this test's database: its address, once /readyz says yes."""
    port = free_port()
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "4", "--no-ws"]
    url = f"http://127.0.0.1:{port}"
    with running([*command, "reemio.wsgi:application"], tmp_path / "web.log", until=lambda: _is_ready(url)):
        yield url


@pytest.fixture
def granian_server_of_two(committed_database: None, tmp_path: Path) -> Iterator[str]:
    """The same server as `deploy/start web` starts it: two processes behind one port."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    more = {"PORT": str(port), "TMPDIR": str(tmp_path), "REEMIO_STOP_SECONDS": "2"}
    with running([], tmp_path / "web.log", until=lambda: _is_ready(url), program=["deploy/start", "web"], more=more):
        yield url


@pytest.fixture
def celery_worker_process(committed_database: None, tmp_path: Path) -> Iterator[Path]:
    """A real Celery worker on this test's database and Redis; the path of its log."""
    log = tmp_path / "worker.log"
    command = [
        "celery",
        "-A",
        "reemio.celery",
        "worker",
        "--concurrency",
        "1",
        "--without-gossip",
        "--loglevel",
        "INFO",
    ]
    with running(command, log, until=lambda: " ready." in log.read_text()):
        yield log


@contextmanager
def running(
    command: list[str],
    log: Path,
    *,
    until: Callable[[], bool],
    program: Sequence[str] = (sys.executable, "-m"),
    more: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Run a module of Python on this test's database until the block ends, which begins when `until` says yes.

    `program` runs something else; `more` is added to its environment.
    """
    with log.open("w") as output:
        process = subprocess.Popen(
            [*program, *command], cwd=ROOT, env=environment() | dict(more or {}), stdout=output, stderr=output,
            start_new_session=True,
        )  # fmt: skip
        try:
            wait_until(until, lambda: f"{log.read_text()}\n(exit status {process.poll()})")
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def environment() -> dict[str, str]:
    """Return the environment of a process that shall use this test's database and Redis."""
    database = connection.settings_dict
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    url = make_conninfo(**{part: database[name] for part, name in parts.items() if database[name]})
    own = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "PYTHONUNBUFFERED": "1"}
    return os.environ | own | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def wait_until(condition: Callable[[], bool], story: Callable[[], str], seconds: float = READY_SECONDS) -> None:
    """Wait until `condition` is true; fail with `story()` where it is not after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"Not so after {seconds} s:\n{story()}")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as response:  # noqa: S310  our own server
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
