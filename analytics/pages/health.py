"""Page 9: whether the data can be trusted, and whether everything that should run does."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from analytics import alerts, health, machinery, mailing
from analytics.definitions import rate
from analytics.health import HourOfEvents
from analytics.machinery import Health
from analytics.pages import formats
from analytics.pages.cells import Column, Row
from analytics.pages.filters import EVENTS
from analytics.pages.page import Asked, Page
from analytics.pages.parts import Chart, Empty, Fact, Meter, Series
from analytics.pages.places import located
from analytics.pages.tables import Order, Table
from analytics.periods import last_days
from catalog import embedding

HOURS = 48
MACHINE_DAYS = 28
STATES = {True: "silent", False: "fine"}


def build(asked: Asked) -> Mapping[str, Any]:
    """Return alerts, facts about the machinery, and what came in by hour."""
    now, state = timezone.now(), machinery.read()
    freshness = health.freshness(now=now)
    return {
        "alerts": [located(alert) for alert in alerts.alerts_of(state, now=now)],
        "flows": [*_intake(state, now), *_counting(freshness, now), _machines()],
        "engine": list(_engine(state, now)),
        "charts": [_hours(health.hours_of_events(hours=HOURS, now=now), now)],
        "kinds": _kinds(health.events_by_type(hours=HOURS, now=now)),
        "as_of": state.rolled_up_to,
    }


def tables(asked: Asked) -> Mapping[str, Table]:
    """Return the hours, and the scheduled tasks."""
    hours = (
        Column("starts_at", "Hour", "moment"),
        Column("events", "Events", "number"),
        Column("late", "Late", "number"),
        Column("unknown_products", "Unknown product", "number"),
        Column("duplicates", "Duplicates", "number"),
        Column("rejected", "Rejected", "number"),
        Column("rejected_share", "Share rejected", "rate"),
    )
    tasks = (
        Column("name", "Task"),
        Column("last_run_at", "Last started", "moment"),
        Column("state", "State"),
    )
    return {
        "hours": Table(
            "hours",
            f"The last {HOURS} hours",
            hours,
            lambda most: map(_hour, health.hours_of_events(hours=HOURS)),
            Order("starts_at"),
            Empty("No event in this time.", "Is the storefront connected?", "Look at the API", reverse("api-docs")),
            note="A late event came more than an hour after it happened, as imported ones do. A duplicate was counted "
            "once. A rejected one was answered with the reason. An unknown product is counted as soon as the catalogue "
            "has it.",
        ),
        "tasks": Table(
            "tasks",
            "Scheduled work",
            tasks,
            lambda most: [asdict(one) | {"state": STATES[one.is_silent]} for one in health.heartbeats()],
            Order("name", descending=False),
            Empty("Nothing is scheduled.", "Run “manage.py migrate”: it seeds the schedule."),
            note="The scheduler writes down what it started every three minutes.",
        ),
    }


def _hour(one: HourOfEvents) -> Row:
    return asdict(one) | {"rejected_share": rate(one.rejected, one.events + one.rejected)}


def _hours(found: list[HourOfEvents], now: datetime) -> Chart:
    by_hour = {one.starts_at.astimezone(formats.zone()).replace(minute=0): one for one in found}
    last = now.astimezone(formats.zone()).replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=back) for back in reversed(range(HOURS))]
    nothing = HourOfEvents(now)
    ones = [by_hour.get(hour, nothing) for hour in hours]
    total, rejected = sum(one.events for one in ones), sum(one.rejected for one in ones)
    sentence = f"{formats.plural(total, 'event')} in the last {HOURS} hours; {formats.number(rejected)} were rejected."
    series = [
        Series("Events", [one.events for one in ones]),
        Series("Duplicates", [one.duplicates for one in ones]),
        Series("Rejected", [one.rejected for one in ones]),
    ]
    return Chart("hours", "Events by hour", sentence, [f"{hour:%d %b %H}h" for hour in hours], series, head="Hour")


def _kinds(found: Mapping[str, int]) -> list[Meter]:
    most = max(found.values(), default=0)
    ranked = sorted(found.items(), key=lambda pair: -pair[1])
    return [Meter(EVENTS.get(kind, kind), count / most, formats.number(count)) for kind, count in ranked if most]


def _intake(state: Health, now: datetime) -> Iterator[Fact]:
    yield Fact("Last event", formats.ago(state.last_event))
    yield Fact("Last list served", formats.ago(state.last_list))
    old = bool(state.oldest_fresh and now - state.oldest_fresh > alerts.BACKLOG_OLD)
    note = f"the oldest came {formats.ago(state.oldest_fresh)}" if state.oldest_fresh else ""
    yield Fact("Waiting to be learned", formats.plural(state.fresh, "event"), "bad" if old else "good", note)
    yield Fact(
        "Rows of the inbox that failed",
        formats.number(state.failed_inbox),
        "warn" if state.failed_inbox else "good",
        link=reverse("admin:interactions_inboxevent_changelist") + "?outcome=failed" if state.failed_inbox else "",
    )


def _counting(freshness: health.Freshness, now: datetime) -> Iterator[Fact]:
    late = freshness.lag is None or freshness.lag > alerts.ROLLUP_LATE
    yield Fact(
        "Counted up to",
        formats.moment(freshness.as_of) if freshness.as_of else "not counted yet",
        "warn" if late else "good",
        f"{formats.plural(freshness.waiting, 'part')} of five minutes due for a recount; the last run took "
        f"{freshness.seconds:.1f} s",
    )


def _machines() -> Fact:
    """Say which share of the clicks in mails was no person's."""
    share = mailing.total(last_days(MACHINE_DAYS)).machine_share
    counted = f"{share.successes:,} of {share.trials:,} in {MACHINE_DAYS} days; scanners and previews count as nobody’s"
    return Fact(
        "Clicks in mails by machines",
        formats.percent(share.value),
        note=counted if share.trials else f"no mail was clicked in {MACHINE_DAYS} days",
    )


def _engine(state: Health, now: datetime) -> Iterator[Fact]:
    silent = state.beat_at is None or now - state.beat_at > alerts.BEAT_SILENT
    yield Fact("Scheduler", f"started a task {formats.ago(state.beat_at)}", "bad" if silent else "good")
    stale = state.model_as_of is None or now - state.model_as_of > alerts.MODEL_STALE
    yield Fact(
        "Model",
        f"version {state.model_version}, learned {formats.ago(state.model_as_of)}" if state.model_version else "none",
        "bad" if state.model_version is None else "warn" if stale else "good",
        link=reverse("admin:recommendations_modelversion_changelist"),
    )
    yield Fact(
        "Redis (cache and queue)",
        "answers" if state.redis_answers else "does not answer",
        "good" if state.redis_answers else "bad",
    )
    yield Fact(
        "Embedding model of this process",
        "cannot be loaded" if state.embedding_failure else "loaded" if embedding.is_loaded() else "not wanted yet",
        "bad" if state.embedding_failure else "good",
        state.embedding_failure[:200],
    )
    sync = state.last_sync
    yield Fact(
        "Last synchronisation of the catalogue",
        f"{sync['state']}, {formats.ago(datetime.fromisoformat(sync['started_at']))}" if sync else "never",
        "bad" if sync and sync["state"] in ("failed", "stopped") else "good" if sync else "",
        link=reverse("admin:catalog_catalogsync_changelist"),
    )
    yield Fact("Products that wait for their vector", formats.number(state.embeddings_due))
    yield Fact(
        "Shoppers to be recounted", formats.number(state.rewritten), note="after a merge, an erasure or an import"
    )


PAGE = Page(
    "health",
    "Data health",
    "Can the figures be trusted, and does everything run that should?",
    build,
    tables,
    has_period=False,
)
