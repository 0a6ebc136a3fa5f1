"""A worker outlives Redis, whatever it was doing when Redis went away."""

import subprocess
import sys
from pathlib import Path

import pytest
from kombu import Connection
from redis.exceptions import ConnectionError as RedisConnectionError

from reemio.celery import app
from reemio.embedded import redis, servers
from tests.conftest import ROOT, environment, running, wait_until

SLOW = """
import time
from celery import shared_task

@shared_task(name="slow")
def slow():
    print("slow begins", flush=True)
    time.sleep(1.6)
    print("slow ends", flush=True)
"""


def test_a_closed_channel_says_that_its_connection_is_lost() -> None:
    connection = Connection(app.conf.broker_url)
    channel = connection.default_channel
    connection.release()
    with pytest.raises(RedisConnectionError, match="closed"):
        channel._get_pool()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_task_that_ends_while_redis_is_away_does_not_end_its_worker(tmp_path: Path) -> None:
    (tmp_path / "slowly.py").write_text(SLOW)
    state, log = tmp_path / "state", tmp_path / "worker.log"
    own = environment() | {"REDIS_URL": servers.redis_url(state), "PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}
    send = [sys.executable, "-c", "from reemio.celery import app; app.send_task('slow')"]
    try:
        worker = ["worker", "-I", "slowly", "--concurrency", "1"]
        said = log.read_text
        with running(worker, log, until=lambda: " ready." in said(), program=["deploy/start"], more=own):
            for turn in (1, 2):
                subprocess.run(send, cwd=ROOT, env=own, check=True)
                wait_until(lambda turn=turn: said().count("slow begins") >= turn, said)  # type: ignore[misc]
                redis.stop(state / "redis")
                wait_until(lambda turn=turn: said().count("slow ends") >= turn, said)  # type: ignore[misc]
                redis.ensure_running(state / "redis")
            assert "Unrecoverable" not in said()
            before = said().count("slow begins")
            subprocess.run(send, cwd=ROOT, env=own, check=True)
            wait_until(lambda: said().count("slow begins") > before, said)
    finally:
        servers.stop_all(state)
