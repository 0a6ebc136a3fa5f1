"""The private servers start, are shared, survive being killed, and say clearly what they cannot do."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import psycopg
import pytest
import redis

from reemio.embedded import postgres, servers
from reemio.embedded import redis as private_redis
from reemio.embedded.processes import EmbeddedServerError, arguments_of, is_alive, socket_folder, stop_process

ROOT = Path(__file__).resolve().parent.parent.parent
START = "import sys, pathlib; from reemio.embedded import servers as s; p = pathlib.Path(sys.argv[1]); "
START += "print(s.postgres_url(p), s.redis_url(p))"


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A state folder with spaces and quotes in its name, its servers started."""
    # Not pytest's: another run closes those folders to the user that PostgreSQL runs as under root.
    with TemporaryDirectory(prefix='it\'s "mine" é% ') as folder:
        servers.postgres_url(Path(folder))
        servers.redis_url(Path(folder))
        yield Path(folder)
        servers.stop_all(Path(folder))


@pytest.fixture
def empty() -> Iterator[Path]:
    """A state folder in which nothing has been started yet."""
    with TemporaryDirectory(prefix="reemio test ") as folder:
        yield Path(folder)
        servers.stop_all(Path(folder))


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def pids(state: Path) -> tuple[int, int]:
    """The numbers of PostgreSQL and Redis."""
    return (
        int((state / "postgres" / "postmaster.pid").read_text().split("\n")[0]),
        int((state / "redis" / "redis.pid").read_text()),
    )


def test_the_addresses_lead_to_a_postgresql_with_pgvector_and_a_redis(state: Path) -> None:
    url = servers.postgres_url(state)
    assert url.startswith("postgresql://postgres@/reemio?host=%2F")
    assert ask(url, "SELECT default_version >= '0.8' FROM pg_available_extensions WHERE name = 'vector'") is True
    assert redis.Redis.from_url(servers.redis_url(state)).ping() is True


def test_ids_sort_by_their_characters_whatever_the_machines_locale_is(state: Path) -> None:
    found = ask(servers.postgres_url(state), "SELECT array_agg(x ORDER BY x) FROM unnest(ARRAY['b','B','a','é','Z']) x")
    assert found == ["B", "Z", "a", "b", "é"]
    assert ask(servers.postgres_url(state), "SELECT lower('ÉA')") == "éa"


def test_nothing_listens_on_the_network(state: Path) -> None:
    assert ask(servers.postgres_url(state), "SHOW listen_addresses") == ""
    assert redis.Redis.from_url(servers.redis_url(state)).config_get("port") == {"port": "0"}


def test_asking_again_is_quick_and_starts_nothing(state: Path) -> None:
    before = pids(state)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        servers.postgres_url(state)
        servers.redis_url(state)
        took.append(time.perf_counter() - began)
    assert min(took) < 0.02
    assert pids(state) == before


def test_after_kill_9_the_servers_come_back_with_all_that_was_committed(state: Path) -> None:
    url = servers.postgres_url(state)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("DELETE FROM kept")
        connection.execute("INSERT INTO kept VALUES (42)")
    client = redis.Redis.from_url(servers.redis_url(state))
    client.set("kept", "42")
    client.execute_command("WAITAOF", 1, 0, 1000) if _has_waitaof(client) else time.sleep(1.1)  # appendfsync everysec
    killed = pids(state)
    for pid in killed:
        assert stop_process(pid, number=signal.SIGKILL, seconds=10)
    assert ask(servers.postgres_url(state), "SELECT n FROM kept") == 42
    assert redis.Redis.from_url(servers.redis_url(state)).get("kept") == b"42"
    assert set(pids(state)).isdisjoint(killed)


def test_a_pid_file_whose_number_is_another_programs_now_stops_nobody(state: Path) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        servers.stop_all(state)
        lines = [str(other.pid), str(state / "postgres"), "1", "5432", str(state / "postgres"), "", "1 2", "ready"]
        (state / "postgres" / "postmaster.pid").write_text("\n".join(lines) + "\n")
        (state / "redis" / "redis.pid").write_text(str(other.pid))
        assert servers.running(state) == {"PostgreSQL": None, "Redis": None}
        assert servers.stop_all(state) == []
        assert ask(servers.postgres_url(state), "SELECT 1") == 1
        assert redis.Redis.from_url(servers.redis_url(state)).ping() is True
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_stopping_stops_both_and_says_so(state: Path) -> None:
    postgres_pid, redis_pid = pids(state)
    assert servers.stop_all(state) == ["PostgreSQL", "Redis"]
    assert not is_alive(postgres_pid)
    assert not is_alive(redis_pid)
    assert servers.stop_all(state) == []
    servers.postgres_url(state)
    servers.redis_url(state)


def test_processes_that_start_together_get_one_server(empty: Path) -> None:
    command = [sys.executable, "-c", START, str(empty)]
    together = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)]
    answers = [process.communicate(timeout=120)[0] for process in together]
    assert [process.returncode for process in together] == [0, 0, 0]
    assert len(set(answers)) == 1
    assert ask(answers[0].split()[0], "SELECT 1") == 1


def test_an_initialisation_that_was_killed_is_begun_anew(empty: Path) -> None:
    half = empty / "postgres.unfinished"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    (empty / "postgres").mkdir()
    assert ask(servers.postgres_url(empty), "SELECT 1") == 1
    assert not half.exists()


def test_a_database_that_was_not_made_before_the_kill_is_made_later(state: Path) -> None:
    (state / "postgres" / postgres.COMPLETE).unlink()
    assert servers.running(state)["PostgreSQL"] is None
    assert ask(servers.postgres_url(state), "SELECT current_database()") == "reemio"


def test_a_path_too_long_for_a_socket_gets_one_in_the_temporary_folder(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    url = private_redis.ensure_running(folder)
    try:
        path = Path(unquote(url.removeprefix("unix://").partition("?")[0]))
        assert redis.Redis.from_url(url).ping() is True
        assert len(str(path)) <= 100
        assert path.parent.stat().st_mode & 0o077 == 0
    finally:
        private_redis.stop(folder)
        path.unlink(missing_ok=True)
        path.parent.rmdir()


def test_a_temporary_socket_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    folder = socket_folder(tmp_path / "a,b", "redis.sock", owner=os.geteuid())
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(EmbeddedServerError, match="belongs to another user"):
        socket_folder(tmp_path / "a,b", "redis.sock", owner=os.geteuid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_the_folder_of_another_user_is_refused_with_their_name(tmp_path: Path) -> None:
    os.chown(tmp_path, 1, -1)
    with pytest.raises(EmbeddedServerError, match=r"belongs to daemon, and you are root\. Run this as daemon"):
        servers.postgres_url(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_redis_that_is_busy_gets_no_rival_on_its_files(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, pid = pids(state)
    answers = iter([b"-LOADING", b"-LOADING", b"+PONG"])
    monkeypatch.setattr(private_redis, "_reply", lambda data: next(answers, b"+PONG"))
    private_redis.ensure_running(state / "redis")
    assert pids(state)[1] == pid


def test_only_what_nothing_names_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("POSTGRES_", "REDIS_", "DATABASE_URL"))]:
        monkeypatch.delenv(name)
    assert servers.wanted("POSTGRES_") is True
    monkeypatch.setenv("POSTGRES_HOST", "")
    assert servers.wanted("POSTGRES_") is True
    monkeypatch.setenv("POSTGRES_HOST", "db")
    assert servers.wanted("POSTGRES_") is False
    assert servers.wanted("REDIS_") is True
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    assert servers.wanted("REDIS_") is False


def test_the_servers_outlive_who_started_them_and_ctrl_c(state: Path) -> None:
    for pid in pids(state):
        assert os.getsid(pid) != os.getsid(0)
        assert arguments_of(pid)


def _has_waitaof(client: "redis.Redis") -> bool:
    return int(client.info("server")["redis_version"].split(".")[0]) >= 7


def test_a_socket_left_behind_without_a_server_is_no_server(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
        dead.bind(str(tmp_path / "redis" / "redis.sock"))
    assert private_redis.running_url(tmp_path / "redis") is None


def test_threads_may_ask_at_once(state: Path) -> None:
    urls: set[str] = set()
    threads = [threading.Thread(target=lambda: urls.add(servers.postgres_url(state))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(urls) == 1
