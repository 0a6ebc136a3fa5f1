"""Behind PgBouncer in transaction mode, with two server connections for all, everything works as without."""

import http.client
import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg.conninfo import make_conninfo

from campaigns.models import Campaign, OutboxMessage
from interactions.models import FreshInteraction, Interaction, Shopper
from recommendations.models import ModelVersion, ServedList
from reemio.database.alone import alone
from tests.conftest import ROOT, _is_ready, environment, free_port, running, wait_until
from tests.recommendations.conftest import did, make_product

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
pytestmark = [
    pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed: apt install pgbouncer"),
    pytest.mark.slow,
]

WORK = """
import os
from django.core.management import call_command
call_command("train")
call_command("rollup")
call_command("campaigns", "run")
call_command("import_interactions", os.environ["FILE"])
call_command("sync_products", "--source", "file", "--path", os.environ["CATALOGUE"])
call_command("update_preferences")
"""


@pytest.fixture
def pooled(committed_database: None, open_folder: Path) -> Iterator[Mapping[str, str]]:
    """The environment of a process that reaches this test's database by PgBouncer only."""
    port, database = free_port(), connection.settings_dict
    server = make_conninfo(host=database["HOST"], user=database["USER"], dbname=database["NAME"],
                           **({"port": database["PORT"]} if database["PORT"] else {}),
                           **({"password": database["PASSWORD"]} if database["PASSWORD"] else {}))  # fmt: skip
    (open_folder / "users").write_text(f'"{database["USER"]}" ""\n')
    (open_folder / "pgbouncer.ini").write_text(
        f"[databases]\nshop = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {open_folder}/users\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"admin_users = {database['USER']}\nlogfile = {open_folder}/log\n"
    )
    user = _somebody_else(open_folder)
    process = subprocess.Popen(
        [str(PGBOUNCER), "-q", str(open_folder / "pgbouncer.ini")], user=user, stderr=subprocess.DEVNULL
    )
    address = {"host": "127.0.0.1", "port": str(port), "user": database["USER"]}
    try:
        log = open_folder / "log"
        wait_until(lambda: _answers(address), lambda: log.read_text() if log.exists() else "no log")
        yield environment() | {
            "DATABASE_URL": make_conninfo(**address, dbname="shop"),
            "PGBOUNCER": make_conninfo(**address, dbname="pgbouncer"),
            "REEMIO_DB_POOLED": "true", "LOG_LEVEL": "WARNING",
        }  # fmt: skip
    finally:
        process.terminate()
        process.wait()
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER ROLE {database['USER']} IN DATABASE {database['NAME']} RESET ALL")


def test_all_that_reemio_does_works_through_it(pooled: Mapping[str, str], tmp_path: Path) -> None:
    for number in range(4):
        make_product(f"lamp-{number}", axis=number)
    Shopper.objects.create(user_id="ann", email="ann@example.com", marketing_consent=True)
    Campaign.objects.filter(kind="cart_abandonment").update(
        mode="live", live_since=datetime.now(UTC) - timedelta(days=9)
    )
    did("cart_add", "lamp-1", user="ann", days_ago=0.2)

    # A session from before the role had its settings is told so; the next one has them.
    first = manage(pooled, "migrate")
    assert "RECONNECT the pooler" in first.stderr
    with psycopg.connect(pooled["PGBOUNCER"], autocommit=True, prepare_threshold=None) as console:
        console.pgconn.exec_(b"RECONNECT")
    second = manage(pooled, "migrate")
    assert second.returncode == 0, second.stderr

    port = free_port()
    command = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "4", "--no-ws"]
    ready = f"http://127.0.0.1:{port}"
    with running(
        [*command, "reemio.wsgi:application"], tmp_path / "web.log", until=lambda: _is_ready(ready), more=pooled
    ):
        sent = [ask(port, "POST", "/api/v1/interactions", event(n)) for n in range(8)]
        batch = ask(port, "POST", "/api/v1/interactions/batch", {"interactions": [event(n) for n in range(4, 12)]})
        lists = [ask(port, "GET", f"/api/v1/recommendations/homepage?user_id=ann-{n % 3}&limit=3") for n in range(12)]
    assert [status for status, _ in sent] == [201] * 8
    assert (batch[0], batch[1]["accepted"], batch[1]["duplicates"]) == (201, 4, 4)
    assert [(status, len(body["items"])) for status, body in lists] == [(200, 3)] * 12
    assert Interaction.objects.count() == FreshInteraction.objects.count() == 13
    assert ServedList.objects.count() == 12

    file = tmp_path / "events.csv"
    file.write_text("session_id,product_id,interaction_type,occurred_at\ns-1,lamp-1,view,2026-01-01T00:00:00Z\n")
    catalogue = tmp_path / "products.csv"
    catalogue.write_text("product_id,title\n" + "".join(f"lamp-{number},Lamp\n" for number in range(5)))
    done = manage(pooled, "shell", "-c", WORK, file=file, catalogue=catalogue)
    assert done.returncode == 0, done.stderr
    assert FreshInteraction.objects.count() == 0
    assert ModelVersion.objects.get(state="active").figures["events"] == 13
    assert OutboxMessage.objects.get().user_id == "ann"
    assert leftovers() == []


def test_a_lock_is_held_through_it_and_given_back(pooled: Mapping[str, str]) -> None:
    program = (
        "from manage import prepare; prepare(); import django; django.setup();"
        "from reemio.database.alone import alone\n"
        "with alone(77, wait=False) as had:\n    print(had, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], env=dict(pooled), cwd=ROOT, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # fmt: skip
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with alone(77, wait=False) as had:
            assert not had
        holder.communicate("\n")
    with alone(77, wait=False) as had:
        assert had


def event(number: int) -> dict[str, Any]:
    """Return an event with a name of its own."""
    return {"event_id": f"e-{number}", "interaction_type": "view", "user_id": f"ann-{number % 3}",
            "product_id": f"lamp-{number % 4}"}  # fmt: skip


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Return status and JSON of one answer, on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    client.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    with client.getresponse() as response:
        return response.status, json.loads(response.read())


def manage(pooled: Mapping[str, str], *words: str, **paths: Path) -> subprocess.CompletedProcess[str]:
    """Run a management command through the pooler, with paths in its environment."""
    own = dict(pooled) | {name.upper(): str(path) for name, path in paths.items()}
    return subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=own, capture_output=True, text=True)


def leftovers() -> list[tuple[Any, ...]]:
    """Return the locks and temporary tables that sessions of this database hold beyond a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'lock', objid FROM pg_locks WHERE locktype = 'advisory' UNION ALL SELECT relname, oid FROM pg_class"
            " WHERE relpersistence = 't' AND relkind = 'r'"
        )
        return list(cursor.fetchall())


def _answers(address: Mapping[str, str]) -> bool:
    try:
        psycopg.connect(**address, dbname="shop", connect_timeout=2).close()  # type: ignore[arg-type]  # names and texts
    except psycopg.OperationalError:
        return False
    return True


def _somebody_else(folder: Path) -> str | None:
    """Return whom PgBouncer runs as: it refuses root. The folder becomes theirs."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("pgserver")
    for place in (folder, *folder.iterdir()):
        os.chown(place, user.pw_uid, user.pw_gid)
    return user.pw_name
