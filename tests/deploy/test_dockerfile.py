"""The Dockerfile's steps run as they stand; what they make serves as nobody in particular, from a read-only root."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from reemio.embedded import servers
from tests.conftest import free_port, wait_until
from tests.deploy import replay

DOCKERFILE = (replay.ROOT / "Dockerfile").read_text()


def test_each_stage_is_read_with_its_steps() -> None:
    build, run = replay.stages(DOCKERFILE)
    assert (build.name, run.name, build.base) == ("build", "run", run.base)
    assert [rest for word, rest in run.steps if word == "COPY"] == [
        "--from=build /opt/venv /opt/venv",
        "--from=build /app /app",
    ]
    assert ("CMD", '["deploy/start", "web"]') in run.steps
    with pytest.raises(ValueError, match="ONBUILD is not replayed"):
        replay.stages("FROM a\nONBUILD RUN true")


def test_the_builder_gets_no_secret_no_state_and_no_environment(tmp_path: Path) -> None:
    for name in (".env", ".reemio/postgres/log", ".venv/bin/python", "a/__pycache__/b.pyc", "deploy/k8s/x.yaml"):
        (tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "from" / name).touch()
    for name in ("manage.py", "deploy/start", "a/b.py"):
        (tmp_path / "from" / name).touch()
    (tmp_path / "from" / ".dockerignore").write_text((replay.ROOT / ".dockerignore").read_text())
    context = replay.context_of(tmp_path / "from", tmp_path / "to")
    found = sorted(str(one.relative_to(context)) for one in context.rglob("*") if one.is_file())
    assert found == [".dockerignore", "a/b.py", "deploy/start", "manage.py"]


@pytest.fixture
def stores(open_folder: Path) -> Iterator[dict[str, str]]:
    """A PostgreSQL and a Redis of their own, reached by TCP as from a container."""
    state = open_folder / "state"
    url, redis = servers.postgres_url(state), servers.redis_url(state)

    folder = psycopg.conninfo.conninfo_to_dict(url)["host"]
    with (
        forwarded(f"{folder}/.s.PGSQL.5432") as postgres_port,
        forwarded(redis.removeprefix("unix://").split("?")[0]) as redis_port,
    ):
        yield {
            "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{postgres_port}/reemio",
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
        }
    servers.stop_all(state)


class forwarded:  # noqa: N801  used like a function
    """Forward a free port of the loopback interface to a Unix socket, for the block; yields the port."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._accept, daemon=True).start()
        return int(self._server.getsockname()[1])

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            store = socket.socket(socket.AF_UNIX)
            store.connect(self._path)
            for one, other in ((client, store), (store, client)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.slow
@pytest.mark.skipif(not replay.may_mount(), reason="the Dockerfile is replayed by root, with the right to mount")
def test_what_the_dockerfile_makes_serves_from_a_read_only_root(
    stores: dict[str, str], open_folder: Path, tmp_path: Path
) -> None:
    work, port = open_folder / "image", free_port()
    work.mkdir()
    replay.context_of(replay.ROOT, work / "context")
    given = {
        **stores,
        "PORT": str(port),
        "SECRET_KEY": "k" * 60,
        "ALLOWED_HOSTS": "shop.example",
        "LOG_LEVEL": "WARNING",
    }
    probe = "id -u; touch /app/x; touch /etc/x; touch /tmp/x /var/lib/reemio/x; ls; grep CapBnd /proc/self/status"
    commands = [["sh", "-c", probe], ["deploy/start", "migrate"], ["deploy/start", "web"]]
    script = replay.script_of(DOCKERFILE, work, given=given, commands=commands)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script], stdout=log, stderr=log, start_new_session=True
        )
    try:
        story = (tmp_path / "log").read_text
        wait_until(lambda: process.poll() is not None or _ready(port), story, seconds=180)
        said = story()
        assert process.poll() is None, said
        assert "\n10001\n" in said
        assert said.count("Read-only file system") == 2
        assert "CapBnd:\t0000000000000000" in said
        assert "\nstaticfiles\n" in said
        assert "\ntests\n" not in said
        page = requests.get(
            f"http://127.0.0.1:{port}/admin/login/", timeout=30, headers={"Host": "shop.example"}, allow_redirects=False
        )
        assert (page.status_code, page.headers["Location"]) == (301, "https://shop.example/admin/login/")
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(60) == 0, story()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def _ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200
    except OSError:
        return False
