"""What is wrong, from the state of the machinery: pure, so that a test can say each sentence's condition."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from analytics.machinery import Health
from analytics.pages import formats
from analytics.pages.parts import Alert

# Beat writes down what it started every three minutes.
BEAT_SILENT = timedelta(minutes=10)
MODEL_STALE = timedelta(hours=36)
BACKLOG_OLD = timedelta(minutes=10)
ROLLUP_LATE = timedelta(minutes=15)
EMBEDDING_LATE = timedelta(hours=1)


def alerts_of(health: Health, *, now: datetime) -> list[Alert]:
    """Return what wants somebody, the worst first."""
    found = [*_machinery(health, now), *_model(health, now), *_data(health, now)]
    return sorted(found, key=lambda alert: alert.level != "bad")


def _machinery(health: Health, now: datetime) -> Iterator[Alert]:
    if not health.redis_answers:
        yield Alert(
            "bad",
            "Redis is away",
            "Lists are served, more slowly; nothing is throttled, and background work waits. Everything goes on by "
            "itself once it is back.",
        )
    if health.embedding_failure:
        yield Alert(
            "bad",
            "The embedding model cannot be loaded",
            f"{health.embedding_failure[:200]} Search goes by words alone, and new products get no vector.",
        )
    if health.beat_at is None or now - health.beat_at > BEAT_SILENT:
        yield Alert(
            "bad",
            "The scheduler is silent",
            f"It last started a task {formats.ago(health.beat_at)}. Until it is back nothing new is learned, counted "
            "or mailed. Start the process “beat”.",
        )
    if health.oldest_fresh and now - health.oldest_fresh > BACKLOG_OLD:
        yield Alert(
            "bad",
            "Events wait to be learned",
            f"{formats.plural(health.fresh, 'event')} waiting, the oldest since "
            f"{formats.span((now - health.oldest_fresh).total_seconds())}. Is the worker running, and fast enough?",
        )
    if health.oldest_inbox and now - health.oldest_inbox > BACKLOG_OLD:
        yield Alert(
            "bad",
            "Rows of the shop’s inbox wait",
            f"The oldest row of public.events came {formats.ago(health.oldest_inbox)}.",
            "See the rows",
            "inbox",
        )
    if health.last_event and (health.rolled_up_to is None or now - health.rolled_up_to > ROLLUP_LATE):
        yield Alert(
            "warn",
            "The figures are behind",
            f"They hold what was stored up to {formats.moment(health.rolled_up_to)}. They catch up while the worker "
            "and the scheduler run.",
        )


def _model(health: Health, now: datetime) -> Iterator[Alert]:
    if health.model_as_of is None:
        yield Alert(
            "bad",
            "No model is trained",
            "Lists show what is alike and what is popular, but nothing that shoppers have in common. "
            "Run “manage.py train”.",
        )
    elif now - health.model_as_of > MODEL_STALE:
        yield Alert(
            "warn",
            "The model is stale",
            f"It learned from everything up to {formats.moment(health.model_as_of)}; a new one is due every night.",
            "See the versions",
            "versions",
        )
    if health.last_training and health.last_training["state"] == "failed":
        yield Alert(
            "bad",
            "The last training failed",
            f"{health.last_training['message'][:200]} The version before it goes on answering.",
            "See the versions",
            "versions",
        )


def _data(health: Health, now: datetime) -> Iterator[Alert]:
    sync = health.last_sync
    if sync and sync["state"] in ("failed", "stopped"):
        yield Alert(
            "bad",
            "The catalogue could not be synchronised" if sync["state"] == "failed" else "The synchronisation stopped",
            f"{sync['message'][:200]} Prices, stock and new products stay as they were.",
            "See what happened",
            "syncs",
        )
    if health.failed_inbox:
        yield Alert(
            "warn",
            f"{formats.plural(health.failed_inbox, 'row')} of the inbox could not be understood",
            "Each row says why. Mend the cause, then let them be tried again.",
            "See the rows",
            "failed-inbox",
        )
    if health.oldest_embedding and now - health.oldest_embedding > EMBEDDING_LATE:
        yield Alert(
            "warn",
            "New products wait for their vectors",
            f"{formats.plural(health.embeddings_due, 'product')} cannot be found by meaning yet.",
        )
