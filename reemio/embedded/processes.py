"""What the private servers share: a look at processes, a socket's place, their one kind of failure."""

import hashlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

# The kernel allows 107 bytes (103 on macOS); PostgreSQL appends `/.s.PGSQL.5432`.
LONGEST_SOCKET_PATH = 100


class EmbeddedServerError(RuntimeError):
    """A private server cannot be had; the message says why, and what to do."""


def arguments_of(pid: int) -> list[str]:
    """Return the command line of a live process; empty where there is none, or it is a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").split("\0")[:-1]
    except OSError:
        return [] if Path("/proc/self").exists() else _arguments_without_proc(pid)


def is_alive(pid: int, *words: str) -> bool:
    """Tell whether `pid` runs with these words in its command line: after a reboot it may be another's."""
    line = " ".join(arguments_of(pid))
    return bool(line) and all(word in line for word in words)


def works_in(pid: int, folder: Path) -> bool:
    """Tell whether `folder` is the working directory of the process; True where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return not Path("/proc/self").exists()


def any_works_in(folder: Path) -> bool:
    """Tell whether `folder` is the working directory of any living process that we may look at."""
    return any(works_in(int(entry.name), folder) for entry in Path("/proc").glob("[0-9]*"))


def stop_process(pid: int, *words: str, number: signal.Signals, seconds: float) -> bool:
    """Send the signal and wait; return whether the process has gone within `seconds`."""
    deadline = time.monotonic() + seconds
    os.kill(pid, number)
    while is_alive(pid, *words):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def socket_folder(data: Path, name: str, *, owner: int) -> Path:
    """Return the folder for the socket `name`: `data`, or a private temporary one.

    The temporary one serves where the path is too long for the kernel, or holds a comma, which parts hosts
    for libpq. `owner` is the user id that the server runs as; somebody else's temporary folder is refused.
    """
    if len(os.fsencode(data / name)) <= LONGEST_SOCKET_PATH and "," not in str(data):
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"reemio-{owner}-{digest}"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, owner, -1)
    found = folder.lstat()
    if folder.is_symlink() or found.st_uid != owner:
        raise EmbeddedServerError(f"{folder} belongs to another user. Remove it, and try again.")
    return folder


def _arguments_without_proc(pid: int) -> list[str]:
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  the system's `ps`
    return done.stdout.split()
