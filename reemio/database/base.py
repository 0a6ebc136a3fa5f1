"""The database engine `reemio.database`: stock PostgreSQL, plus the schema and the extension that migrations need."""

from typing import Any

from django.db.backends.postgresql import base

SCHEMA = "recommender"
# pgvector's index looks at this many candidates, and goes on where filters leave too few of them.
NEAREST = "-c hnsw.ef_search=200 -c hnsw.iterative_scan=relaxed_order"
# psycopg prepares nothing at all without one; our prepared statements do not wait for it.
PREPARE_THRESHOLD = 5


class DatabaseWrapper(base.DatabaseWrapper):
    """PostgreSQL whose unqualified tables live in the schema `recommender`; `public` comes second."""

    def get_connection_params(self) -> dict[str, Any]:
        """Add the search path, so that a shop's own tables in `public` and ours never collide; allow preparing.

        Django's own cursors never prepare; those of `prepared.py` do, and want plans that fit all values.
        """
        params = super().get_connection_params()
        options = f"-c search_path={SCHEMA},public -c plan_cache_mode=force_generic_plan {NEAREST}"
        timeouts = (
            f"-c statement_timeout={self.settings_dict.get('STATEMENT_TIMEOUT_MS', 0)} "
            f"-c lock_timeout={self.settings_dict.get('LOCK_TIMEOUT_MS', 0)}"
        )
        params["options"] = f"{params.get('options', '')} {options} {timeouts}".strip()
        params["prepare_threshold"] = PREPARE_THRESHOLD
        return params

    def prepare_database(self) -> None:
        """Create the schema and the `vector` extension; Django calls this before it migrates."""
        super().prepare_database()
        with self.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            cursor.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public")
