"""The database engine `reemio.database`: stock PostgreSQL, plus the schema and the extension that migrations need."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.postgresql import base

SCHEMA = "recommender"
# pgvector's index looks at this many candidates, and goes on where filters leave too few of them.
PGVECTOR = {"hnsw.ef_search": "200", "hnsw.iterative_scan": "relaxed_order"}
NEAREST = " ".join(f"-c {name}={value}" for name, value in PGVECTOR.items())
# psycopg prepares nothing at all without one; our prepared statements do not wait for it.
PREPARE_THRESHOLD = 5


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose unqualified tables live in the schema `recommender`; `public` comes second."""

    def get_connection_params(self) -> dict[str, Any]:
        """Add the search path, so that a shop's own tables in `public` and ours never collide; allow preparing.

        Django's own cursors never prepare; those of `prepared.py` do, and want plans that fit all values. Behind a
        pooler the role brings what a session has (`prepare_database`), and nothing is prepared.
        """
        params = super().get_connection_params()
        if self.settings_dict.get("POOLED"):
            return params | {"prepare_threshold": None}
        options = f"-c search_path={SCHEMA},public -c plan_cache_mode=force_generic_plan {NEAREST}"
        timeouts = (
            f"-c statement_timeout={self.settings_dict.get('STATEMENT_TIMEOUT_MS', 0)} "
            f"-c lock_timeout={self.settings_dict.get('LOCK_TIMEOUT_MS', 0)}"
        )
        params["options"] = f"{params.get('options', '')} {options} {timeouts}".strip()
        params["prepare_threshold"] = PREPARE_THRESHOLD
        return params

    def prepare_database(self) -> None:
        """Create the schema and the `vector` extension; Django calls this before it migrates.

        Behind a pooler it also gives our role, in this database, the settings that sessions otherwise ask for.
        """
        super().prepare_database()
        with self.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
            if self.settings_dict.get("POOLED"):
                _settle(cursor)


def _settle(cursor: Any) -> None:
    """Give the role the session's settings. Raises ImproperlyConfigured on a session from before it had them."""
    cursor.execute("SELECT quote_ident(current_user), quote_ident(current_database()), current_setting('search_path')")
    role, database, path = cursor.fetchone()
    # pgvector knows its settings once it is loaded.
    cursor.execute("SELECT '[1]'::vector")
    for name, value in {"search_path": f"{SCHEMA}, public", "timezone": "'UTC'", **PGVECTOR}.items():
        cursor.execute(f"ALTER ROLE {role} IN DATABASE {database} SET {name} = {value}")
    if SCHEMA not in path:
        raise ImproperlyConfigured(
            "The role has its settings now, and new sessions will have them; this one of the pooler has not. "
            "RECONNECT the pooler (or restart it), then migrate again."
        )
