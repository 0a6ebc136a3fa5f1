"""Whether the data can be trusted: what came in by hour, what was refused, how far behind counting and learning are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Sum
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from analytics.models import EventRollup, Grain, RollupState, TouchedPart
from interactions.models import InboxEvent, IntakeCount
from recommendations.models import ModelVersion

# At least so often the scheduler writes down what it started.
WRITTEN_DOWN = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class HourOfEvents:
    """What came in during one hour. `duplicates` and `rejected` are of the hour in which they were received (UTC)."""

    starts_at: datetime
    events: int = 0
    unknown_products: int = 0
    late: int = 0
    duplicates: int = 0
    rejected: int = 0


def hours_of_events(*, hours: int = 48, now: datetime | None = None) -> list[HourOfEvents]:
    """Return the last hours, the oldest first; hours in which nothing came in are left out. Two queries."""
    since = (now or timezone.now()) - timedelta(hours=hours)
    found: dict[datetime, dict[str, int]] = {}
    rows = EventRollup.objects.filter(grain=Grain.HOUR, starts_at__gte=since).order_by().values("starts_at")
    for row in rows.annotate(n=Sum("events"), unknown=Sum("unknown_products"), n_late=Sum("late")):
        found[row["starts_at"]] = {"events": row["n"], "unknown_products": row["unknown"], "late": row["n_late"]}
    names = {IntakeCount.Outcome.DUPLICATE: "duplicates", IntakeCount.Outcome.REJECTED: "rejected"}
    counts = IntakeCount.objects.filter(hour__gte=since).order_by().values("hour", "outcome").annotate(n=Sum("events"))
    for count in counts:
        found.setdefault(count["hour"], {})[names[IntakeCount.Outcome(count["outcome"])]] = count["n"]
    return [HourOfEvents(starts_at, **found[starts_at]) for starts_at in sorted(found)]


def events_by_type(*, hours: int = 48, now: datetime | None = None) -> dict[str, int]:
    """Return how many events of each type occurred in the last hours. One query."""
    since = (now or timezone.now()) - timedelta(hours=hours)
    rows = EventRollup.objects.filter(grain=Grain.HOUR, starts_at__gte=since).order_by().values("interaction_type")
    return {row["interaction_type"]: row["n"] for row in rows.annotate(n=Sum("events")).order_by("interaction_type")}


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far behind counting is. `lag` is None before the first run; `waiting` parts are due for a recount."""

    as_of: datetime | None
    lag: timedelta | None
    waiting: int
    seconds: float
    time_zone: str


def counted_until() -> datetime | None:
    """Return up to when everything is counted; None before the first run. One query."""
    return RollupState.objects.values_list("as_of", flat=True).first()


def freshness(*, now: datetime | None = None) -> Freshness:
    """Return up to when the figures are whole. Two queries."""
    state = RollupState.objects.get()
    lag = None if state.as_of is None else max((now or timezone.now()) - state.as_of, timedelta())
    waiting = TouchedPart.objects.values("starts_at").distinct().count()
    return Freshness(state.as_of, lag, waiting, state.seconds, state.time_zone)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One periodic task: when beat last sent it, and whether that is longer ago than twice its interval."""

    name: str
    task: str
    last_run_at: datetime | None
    is_silent: bool


def heartbeats(*, now: datetime | None = None) -> list[Heartbeat]:
    """Return every periodic task that is switched on, by name. One query."""
    now = now or timezone.now()
    tasks = PeriodicTask.objects.filter(enabled=True).select_related("interval", "crontab").order_by("name")
    return [Heartbeat(task.name, task.task, task.last_run_at, _is_silent(task, now)) for task in tasks]


def _is_silent(task: PeriodicTask, now: datetime) -> bool:
    """A task with an interval may miss one beat; one with a clock time is expected once a day, or a week.

    When a task was last started, the scheduler writes down only every now and then.
    """
    if task.interval is not None:
        patience = 2 * task.interval.schedule.run_every + WRITTEN_DOWN + timedelta(minutes=1)
    else:
        patience = timedelta(days=8 if task.crontab and task.crontab.day_of_week != "*" else 1, hours=2)
    return bool(now - (task.last_run_at or task.date_changed) > patience)


def model_age(*, now: datetime | None = None) -> timedelta | None:
    """Return how old the knowledge of the active model version is; None where there is none. One query."""
    as_of = ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).aggregate(as_of=Max("as_of"))["as_of"]
    return None if as_of is None else (now or timezone.now()) - as_of


@dataclass(frozen=True, slots=True)
class Inbox:
    """What lies in `public.events`: not taken in yet, and not understood."""

    waiting: int
    failed: int


def inbox() -> Inbox:
    """Return the state of the shop's inbox. Two queries."""
    return Inbox(
        waiting=InboxEvent.objects.filter(processed_at=None).count(),
        failed=InboxEvent.objects.exclude(error=None).exclude(error="The person was erased.").count(),
    )
