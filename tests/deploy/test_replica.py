"""The dashboard's figures come from a streaming replica, and everything else from the primary."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import requests

from reemio.embedded import postgres
from tests.conftest import ROOT, _is_ready, environment, free_port, running, wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
SET_UP = """
from django.core.management import call_command
from django.contrib.auth import get_user_model
from django.test import Client
call_command("migrate", verbosity=0)
client = Client()
client.force_login(get_user_model().objects.create_superuser("admin", "a@example.com", "x"))
print("session", client.cookies["sessionid"].value)
"""


@dataclass(frozen=True)
class Shop:
    """A primary, its replica, and who is signed in."""

    primary: str
    replica: str
    session: str
    replica_data: Path

    def add(self) -> None:
        """Add a product to the primary."""
        with psycopg.connect(self.primary, options="-c search_path=recommender", autocommit=True) as database:
            database.execute(ADD)


ADD = """
INSERT INTO catalog_product
    (product_id, title, description, category, brand, price, currency, image_url, url, is_active, attributes)
VALUES ('lamp', 'Lamp', '', '', '', 1, 'USD', '', '', true, '{}')
"""


@pytest.fixture
def shop(open_folder: Path) -> Iterator[Shop]:
    primary, replica = open_folder / "primary", open_folder / "replica"
    url = postgres.ensure_running(primary)
    try:
        done = subprocess.run([sys.executable, "manage.py", "shell", "-c", SET_UP], cwd=ROOT, text=True,
                              env=environment() | {"DATABASE_URL": url}, capture_output=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        session = done.stdout.split("session ")[1].strip()
        _copied(url, primary, replica)
        yield Shop(url, postgres.ensure_running(replica), session, replica)
    finally:
        postgres.stop(replica)
        postgres.stop(primary)


def test_figures_come_from_the_replica_and_from_the_primary_while_it_is_away(shop: Shop, tmp_path: Path) -> None:
    port = free_port()
    # Both servers are named, the replica first: whoever may write is asked.
    folders = ",".join(parse_qs(urlsplit(one).query)["host"][0] for one in (shop.replica, shop.primary))
    either = f"postgresql://postgres@/reemio?host={folders}&target_session_attrs=read-write"
    own = {"DATABASE_URL": either, "ANALYTICS_DATABASE_URL": shop.replica, "REEMIO_CORS_ALLOW_ALL": "true"}
    web = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "2", "reemio.wsgi:application"]
    url = f"http://127.0.0.1:{port}"
    with running(web, tmp_path / "web.log", until=lambda: _is_ready(url), more=own):
        page = lambda slug="": asked(f"{url}/admin/{slug}", shop)  # noqa: E731
        wait_until(lambda: "Read from the replica, 0\xa0s behind." in page(), page)
        # What is on the primary only is not seen, and the page says for how long.
        with psycopg.connect(shop.replica, autocommit=True) as replica:
            replica.execute("SELECT pg_wal_replay_pause()")
            shop.add()
            assert read(shop.primary) == [("Lamp",)]
            assert read(shop.replica) == []
            wait_until(lambda: behind(page()) >= 1, page)
            assert "Read from the" not in page("analytics/health/")
            replica.execute("SELECT pg_wal_replay_resume()")
        wait_until(lambda: behind(page()) == 0, page)
        assert asked(f"{url}/admin/analytics/products/products.csv", shop).startswith("\ufeff")
        # The replica is gone: the primary answers.
        postgres.stop(shop.replica_data)
        assert "The replica is away: read from the primary." in page()
        postgres.ensure_running(shop.replica_data)
        wait_until(lambda: "Read from the replica" in page(), page)


def asked(url: str, shop: Shop) -> str:
    """Return a page as text, as the admin sees it."""
    answer = requests.get(url, cookies={"sessionid": shop.session}, timeout=30)
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text.replace("&nbsp;", "\xa0")


def behind(page: str) -> float:
    """Return how many seconds the replica is behind, as the page says; below 0 where it says nothing."""
    found = re.search(r"Read from the replica, (\d+)", page)
    return float(found[1]) if found else -1


def read(url: str) -> list[tuple[str]]:
    with psycopg.connect(url) as database:
        return database.execute("SELECT title FROM recommender.catalog_product").fetchall()


def _copied(url: str, primary: Path, replica: Path) -> None:
    """Make a standby of the primary, as `pg_basebackup` does for everybody."""
    folder = parse_qs(urlsplit(url).query)["host"][0]
    owner = primary.stat()
    replica.mkdir(mode=0o700)
    os.chown(replica, owner.st_uid, owner.st_gid)
    whom = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    program = postgres._programs() / "pg_basebackup"
    command = [program, "-h", folder, "-U", "postgres", "-D", replica, "-R", "-X", "stream", "--checkpoint=fast"]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, **whom)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    (replica / postgres.COMPLETE).touch()
