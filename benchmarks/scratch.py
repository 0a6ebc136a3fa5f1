"""A database and a Redis number of a benchmark's own, made before Django is set up and removed afterwards.

Nobody else's data is ever touched: a database that does not carry our mark is left alone, and so is a Redis number
that holds anything.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).resolve().parent.parent
MARK = "Made by a Reemio benchmark; may be dropped."
REDIS_NUMBERS = range(15, 7, -1)


@contextmanager
def scratch(name: str) -> Iterator[None]:
    """Set Django up on a migrated, empty database `reemio_benchmark_<name>`; drop it at the end."""
    from reemio.bootstrap import prepare

    os.environ.setdefault("LOG_LEVEL", "ERROR")
    os.environ |= {"REEMIO_THROTTLE_READ": "100000000/min", "REEMIO_THROTTLE_WRITE": "100000000/min"}
    prepare()
    # So that whoever ends us early leaves neither a server nor a database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended early"))
    home = _home()
    database = f"reemio_benchmark_{name}"
    _create(home, database)
    os.environ["DATABASE_URL"] = make_conninfo(home, dbname=database)
    os.environ["REDIS_URL"] = address = _empty_redis(os.environ.get("REDIS_URL", "redis://localhost:6379/0"))
    try:
        _set_up()
        yield
    finally:
        _tear_down()
        redis.Redis.from_url(address).flushdb()
        with psycopg.connect(home, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))


def _home() -> str:
    """Return the address of the configured database, from which others are made."""
    if os.environ.get("DATABASE_URL"):
        return os.environ["DATABASE_URL"]
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DB"}
    found = {part: os.environ.get(f"POSTGRES_{name}") for part, name in parts.items()}
    return make_conninfo(**{part: value for part, value in found.items() if value})


def _create(home: str, database: str) -> None:
    with psycopg.connect(home, autocommit=True) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database'), (SELECT count(*) FROM pg_stat_activity WHERE datid = d.oid)"
            " FROM pg_database d WHERE datname = %s",
            [database],
        ).fetchone()
        name = sql.Identifier(database)
        if found is not None and found[0] != MARK:
            sys.exit(f"There is a database {database} that no benchmark made; it stays untouched.")
        if found is not None and found[1]:
            sys.exit(f"Somebody works on {database} at this moment: another run of this benchmark?")
        if found is not None:
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(name, MARK))


def _empty_redis(address: str) -> str:
    """Return the address of a number of this Redis that holds nothing."""
    for number in REDIS_NUMBERS:
        candidate = _numbered(address, number)
        if redis.Redis.from_url(candidate).dbsize() == 0:
            return candidate
    sys.exit("Every Redis number from 15 down to 8 holds something; none is ours to use.")


def _numbered(address: str, number: int) -> str:
    parts = urlsplit(address)
    if parts.scheme == "unix":
        return f"{address.split('?')[0]}?db={number}"
    return parts._replace(path=f"/{number}").geturl()


def _set_up() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _tear_down() -> None:
    from django.db import connections

    connections.close_all()
