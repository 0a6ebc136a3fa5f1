"""Is everything alive? What the machinery did last, and how much waits for it. One query."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from catalog import embedding
from reemio import health

# Of the events that wait to be learned, only those of products that the mirror knows can be.
READ = """
SELECT
    (SELECT max(last_run_at) FROM django_celery_beat_periodictask WHERE enabled) AS beat_at,
    (SELECT as_of FROM recommendations_modelversion WHERE state = 'active') AS model_as_of,
    (SELECT id FROM recommendations_modelversion WHERE state = 'active') AS model_version,
    (SELECT json_build_object('state', state, 'message', message, 'pk', id) FROM recommendations_modelversion
        ORDER BY id DESC LIMIT 1) AS last_training,
    (SELECT json_build_object('state', state, 'message', message, 'pk', id, 'started_at', started_at)
        FROM catalog_catalogsync ORDER BY started_at DESC, id DESC LIMIT 1) AS last_sync,
    (SELECT i.received_at FROM fresh_interactions f JOIN user_interactions i ON i.id = f.interaction_id
        JOIN catalog_product p ON p.product_id = i.product_id ORDER BY f.interaction_id LIMIT 1) AS oldest_fresh,
    (SELECT count(*) FROM (SELECT 1 FROM fresh_interactions LIMIT %(most)s) AS counted) AS fresh,
    (SELECT min(created_at) FROM events WHERE processed_at IS NULL) AS oldest_inbox,
    (SELECT count(*) FROM (SELECT 1 FROM events WHERE error IS NOT NULL LIMIT %(most)s) AS counted) AS failed_inbox,
    (SELECT min(due_at) FROM catalog_embeddingdue) AS oldest_embedding,
    (SELECT count(*) FROM (SELECT 1 FROM catalog_embeddingdue LIMIT %(most)s) AS counted) AS embeddings_due,
    (SELECT as_of FROM rollup_state) AS rolled_up_to,
    (SELECT seconds FROM rollup_state) AS rollup_seconds,
    (SELECT max(received_at) FROM user_interactions WHERE id = (SELECT max(id) FROM user_interactions)) AS last_event,
    (SELECT max(served_at) FROM served_lists) AS last_list,
    (SELECT count(*) FROM rewritten_histories) AS rewritten,
    (SELECT coalesce(sum(out_of_stock), 0) FROM analytics_productrollup
        WHERE grain = 'day' AND starts_at >= now() - interval '7 days' AND out_of_stock > 0) AS out_of_stock_week,
    (SELECT count(*) FROM recommendations_experiment WHERE state = 'running') AS running_experiments,
    (SELECT evidence <> '{}'::jsonb FROM recommendations_modelversion WHERE state = 'active') AS tuned
"""
# Nobody reads whether a million or two wait; counting them takes time.
MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Health:
    """The state of the machinery. Moments are None where something never happened, or nothing waits."""

    beat_at: datetime | None
    model_as_of: datetime | None
    model_version: int | None
    last_training: dict[str, Any] | None
    last_sync: dict[str, Any] | None
    oldest_fresh: datetime | None
    fresh: int
    oldest_inbox: datetime | None
    failed_inbox: int
    oldest_embedding: datetime | None
    embeddings_due: int
    rolled_up_to: datetime | None
    rollup_seconds: float | None
    last_event: datetime | None
    last_list: datetime | None
    rewritten: int
    out_of_stock_week: int
    running_experiments: int
    tuned: bool
    redis_answers: bool = True
    embedding_failure: str = ""


def read() -> Health:
    """Return the state of the machinery at this moment, as this process sees it."""
    with connection.cursor() as cursor:
        cursor.execute(READ, {"most": MOST_COUNTED})
        found = Health(*cursor.fetchone())
    return replace(found, redis_answers=health.cache() is None, embedding_failure=embedding.failure())
