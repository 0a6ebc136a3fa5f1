"""A backup that was restored holds what was there, row for row; nothing is restored over what is in use."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg.conninfo import make_conninfo

from catalog.models import Product
from interactions.models import Interaction

ROOT = Path(__file__).resolve().parent.parent.parent
CONTENT = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname = 'recommender' OR tablename = 'events' ORDER BY 1
"""


def address(name: str) -> str:
    parts = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    found = {part: connection.settings_dict[key] for part, key in parts.items() if connection.settings_dict[key]}
    return make_conninfo(**found, dbname=name)


@pytest.fixture
def empty_database(transactional_db: None) -> Iterator[str]:
    name = f"{connection.settings_dict['NAME']}_restored"
    with psycopg.connect(address("postgres"), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name}")
        server.execute(f"CREATE DATABASE {name}")
        yield name
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def digests(name: str) -> dict[str, str]:
    """Return a digest of all rows of each table."""
    with psycopg.connect(address(name)) as database:
        tables = [table for (table,) in database.execute(CONTENT)]
        query = "SELECT md5(coalesce(string_agg(row::text, E'\\n' ORDER BY row::text), '')) FROM {} AS row"
        return {table: database.execute(query.format(table)).fetchone()[0] for table in tables}  # type: ignore[index]


def restore(name: str, file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "restore", str(file)]
    environment = os.environ | {"DATABASE_URL": address(name)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_what_is_restored_is_what_was_there_and_is_not_restored_twice(empty_database: str, tmp_path: Path) -> None:
    Product.objects.create(product_id="lamp", title="Lamp", price="9.90")
    Interaction.objects.create(
        interaction_type="view",
        user_id="ann",
        product_id="lamp",
        occurred_at="2026-01-01T00:00Z",
        extra_data={"a": "ü"},
    )
    call_command("backup", tmp_path / "reemio.dump", verbosity=0)
    before = digests(connection.settings_dict["NAME"])
    done = restore(empty_database, tmp_path / "reemio.dump")
    assert done.returncode == 0, done.stderr
    assert digests(empty_database) == before
    assert len(before) > 20

    again = restore(empty_database, tmp_path / "reemio.dump")
    assert again.returncode == 1
    assert "in use by Reemio" in again.stderr
    assert digests(empty_database) == before


def test_a_file_that_is_no_backup_changes_nothing(empty_database: str, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear shop")
    done = restore(empty_database, tmp_path / "letter.txt")
    assert done.returncode == 1
    assert "pg_restore failed" in done.stderr
    assert digests(empty_database) == {}


@pytest.mark.django_db
def test_a_backup_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="pg_dump failed"):
        call_command("backup", tmp_path / "missing" / "reemio.dump", verbosity=0)
    assert list(tmp_path.iterdir()) == []
