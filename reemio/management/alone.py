"""One demo per checkout: its lock, its port, and what a killed one left running."""

import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError

from reemio.embedded import servers
from reemio.embedded.processes import is_alive

# In the environment of every process of the demo, with its state's folder: by it a killed demo's are found.
MARK = "REEMIO_DEMO_OF"
TERM_SECONDS = 5


@contextmanager
def only_one(state: Path, *, port: str) -> Iterator[None]:
    """Hold the lock of the demo; CommandError where another one runs. What a killed one left is ended first."""
    servers.claim(state)
    with (state / "demo.lock").open("a+") as handle:
        if not _locked(handle):
            handle.seek(0)
            pid, _, other_port = handle.read().partition(" ")
            if pid.isdigit() and is_alive(int(pid), "demo"):
                raise CommandError(
                    f"A demo of this checkout is running already: http://localhost:{other_port}/ (process {pid})."
                )
        end_leftovers(state)
        _wait_for_lock(handle)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()} {port}")
        handle.flush()
        yield


def port_is_free(host: str, port: str) -> None:
    """Raise CommandError where something listens there already, or the port is no number."""
    if not port.isdigit():
        raise CommandError(f"PORT is {port!r}, which is no number.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except (OSError, OverflowError) as error:
            raise CommandError(
                f"Port {port} cannot be used: {error}. Choose another one: PORT=8011 make demo"
            ) from error


def end_leftovers(state: Path) -> None:
    """End the processes of a demo of this checkout whose supervisor was killed."""
    pids = _marked(state)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        deadline = time.monotonic() + TERM_SECONDS
        while pids and time.monotonic() < deadline:
            time.sleep(0.05)
            pids = [pid for pid in pids if is_alive(pid)]


def _marked(state: Path) -> list[int]:
    mark = f"{MARK}={state}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _locked(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_lock(handle: IO[str]) -> None:
    deadline = time.monotonic() + TERM_SECONDS
    while not _locked(handle):
        if time.monotonic() > deadline:
            raise CommandError("Another demo of this checkout is just starting or stopping. Try again in a moment.")
        time.sleep(0.05)
