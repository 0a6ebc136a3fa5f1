"""Migrations run while the shop goes on: no large table is locked for long, rewritten, or scanned under a lock."""

import re
from functools import cache
from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

OURS = {"access", "audit", "pulse", "retention", "catalog", "interactions", "recommendations", "campaigns", "analytics"}
# Tables that may hold millions of rows where an installation has run for a while.
LARGE = (
    "user_interactions", "served_lists", "fresh_interactions", "tastes", "conversions", "campaigns_outboxmessage",
    "campaigns_messageevent", "recommendations_shopperneighbourhood", "interactions_shopper",
    "interactions_mergedsession", "events", "visits", "audit_entries",
)  # fmt: skip
TABLE = rf"(?:ONLY )?(?:recommender\.|public\.)?\"?(?P<table>{'|'.join(LARGE)})\"?(?![\w.])"
# What holds a lock for as long as the table is long.
SLOW = {
    "builds an index under a lock": rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)[^;]*? ON {TABLE}",
    "scans the table under a lock": rf"ALTER TABLE {TABLE}[^;]*\b(?:SET NOT NULL|ADD CONSTRAINT(?![^;]*NOT VALID))",
    "rewrites the table": rf"ALTER TABLE {TABLE}[^;]*\b(?:ALTER COLUMN \S+ TYPE|ADD COLUMN[^;]*DEFAULT \(?gen_random)",
    "changes every row at once": rf"^\s*UPDATE {TABLE}(?![^;]*\bWHERE\b)",
}
# Before the first release, nobody has anything in these tables.
BEFORE_THE_FIRST_RELEASE = {
    ("interactions", "0002_inbox"), ("interactions", "0004_refunds"), ("recommendations", "0004_signals"),
    ("recommendations", "0005_experiments"), ("analytics", "0002_rollups"),
}  # fmt: skip


def migrations() -> list[tuple[str, str]]:
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    return sorted(key for key in known if key[0] in OURS and key not in BEFORE_THE_FIRST_RELEASE)


@cache
def loader() -> MigrationLoader:
    return MigrationLoader(connection, replace_migrations=False)


def sql_of(app: str, name: str) -> str:
    statements = loader().collect_sql([(loader().graph.nodes[app, name], False)])
    # What a function's body does is not done by the migration.
    return re.sub(r"\$\$.*?\$\$", "''", re.sub(r"(?m)^\s*--.*$", "", "\n".join(statements)), flags=re.DOTALL)


def complaints(sql: str) -> list[str]:
    made = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(?:\w+\.)?\"?(\w+)", sql))
    return [
        f"{what}: {' '.join(match[0].split())[:120]}"
        for what, pattern in SLOW.items()
        for match in re.finditer(pattern, sql, re.IGNORECASE | re.MULTILINE)
        if match["table"] not in made
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "name"), migrations())
def test_a_migration_locks_no_large_table_for_long(app: str, name: str) -> None:
    assert complaints(sql_of(app, name)) == []


@pytest.mark.django_db
@pytest.mark.parametrize(("app", "name"), migrations())
def test_an_index_that_is_built_concurrently_is_alone_and_outside_of_a_transaction(app: str, name: str) -> None:
    sql = sql_of(app, name)
    if "CONCURRENTLY" in sql:
        migration = loader().get_migration(app, name)
        assert not migration.atomic
        assert not re.search(r"\b(CREATE TABLE|INSERT INTO|UPDATE)\b", sql), "what else it did would stay half done"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX x ON recommender.user_interactions (a);",
        'CREATE UNIQUE INDEX "x" ON "served_lists" ("a");',
        'ALTER TABLE "tastes" ALTER COLUMN "events" TYPE bigint;',
        'ALTER TABLE "conversions" ALTER COLUMN "kind" SET NOT NULL;',
        'ALTER TABLE "user_interactions" ADD CONSTRAINT "x" CHECK (a > 0);',
        "UPDATE user_interactions SET a = 1;",
    ],
)
def test_what_would_lock_a_large_table_is_found(sql: str) -> None:
    assert len(complaints(sql)) == 1
    table = re.search(TABLE, sql)
    assert table is not None
    assert complaints(f'CREATE TABLE "{table["table"]}" (id bigint);\n{sql}') == [], "nobody is in a new table"


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON recommender.user_interactions (a);",
        "CREATE INDEX x ON catalog_catalogsync (a);",
        'ALTER TABLE "user_interactions" ADD COLUMN "x" bigint NULL;',
        'ALTER TABLE "served_lists" ADD CONSTRAINT "x" CHECK (a > 0) NOT VALID;',
    ],
)
def test_what_locks_nobody_out_is_let_pass(sql: str) -> None:
    assert complaints(sql) == []


def test_migrating_gives_up_waiting_for_a_lock() -> None:
    start = (Path(__file__).resolve().parent.parent.parent / "deploy" / "start").read_text()
    assert 'REEMIO_DB_LOCK_TIMEOUT_MS="${REEMIO_DB_LOCK_TIMEOUT_MS:-5000}"' in start
