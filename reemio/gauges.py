"""The figures that `/metrics` reads when it is asked: backlogs, ages and states, over all apps."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import Count, F, Max, Min, Q
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_redis import get_redis_connection

from analytics import metrics as business
from campaigns import metrics as mail
from catalog.models import CatalogSync, EmbeddingDue, Product
from interactions.models import FreshInteraction, InboxEvent
from recommendations.models import ModelVersion
from reemio.metrics import Gauge, Gauges
from reemio.pulse.models import TaskPulse

# Celery's queue where none is named.
QUEUE = "celery"


def _age(moment: datetime | None) -> float | None:
    return None if moment is None else max(0.0, (timezone.now() - moment).total_seconds())


def _queue_waiting() -> float:
    return float(get_redis_connection("default").llen(QUEUE))


def _fresh_oldest() -> float:
    return _age(FreshInteraction.objects.aggregate(oldest=Min("interaction__received_at"))["oldest"]) or 0.0


def _inbox_waiting() -> float:
    return float(InboxEvent.objects.filter(processed_at=None).count())


def _model_age() -> float | None:
    return _age(ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).values_list("as_of", flat=True).first())


def _model_version() -> float | None:
    return ModelVersion.objects.filter(state=ModelVersion.State.ACTIVE).values_list("pk", flat=True).first()


def _products() -> Mapping[str, float]:
    available = Product.objects.available().count()
    return Product.objects.aggregate(
        active=Count("pk", filter=Q(is_active=True)), inactive=Count("pk", filter=Q(is_active=False))
    ) | {"available": available}


def _embeddings_due() -> float:
    return float(EmbeddingDue.objects.count())


def _sync_age() -> float | None:
    succeeded = CatalogSync.objects.filter(state=CatalogSync.State.SUCCEEDED)
    return _age(succeeded.aggregate(last=Max("finished_at"))["last"])


def _sync_failed() -> float | None:
    last = CatalogSync.objects.exclude(state=CatalogSync.State.RUNNING).first()
    return None if last is None else float(last.state != CatalogSync.State.SUCCEEDED)


def _beat_silent() -> float | None:
    return _age(PeriodicTask.objects.filter(enabled=True).aggregate(last=Max("last_run_at"))["last"])


def _task_runs() -> Mapping[str, float]:
    return dict(TaskPulse.objects.values_list("task", F("runs") * 1.0))


def _task_failures() -> Mapping[str, float]:
    return dict(TaskPulse.objects.values_list("task", F("failures") * 1.0))


def _task_seconds() -> Mapping[str, float]:
    return dict(TaskPulse.objects.values_list("task", "seconds"))


def _task_success_age() -> Mapping[str, float]:
    succeeded = TaskPulse.objects.exclude(last_succeeded_at=None).values_list("task", "last_succeeded_at")
    return {task: _age(moment) or 0.0 for task, moment in succeeded}


def _connections() -> Mapping[str, float]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'background'), count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() GROUP BY 1"
        )
        return {state: float(count) for state, count in cursor.fetchall()}


GAUGES = Gauges(
    [
        Gauge("reemio_queue_waiting", "Background tasks that wait for a worker.", _queue_waiting),
        Gauge("reemio_task_runs", "Runs of each background task.", _task_runs, "task", total=True),
        Gauge("reemio_task_failures", "Runs that failed.", _task_failures, "task", total=True),
        Gauge("reemio_task_seconds", "Seconds spent in each background task.", _task_seconds, "task", total=True),
        Gauge("reemio_task_success_age_seconds", "Since each task last succeeded.", _task_success_age, "task"),
        Gauge("reemio_beat_silent_seconds", "Since beat last sent a tick.", _beat_silent),
        Gauge("reemio_fresh_oldest_seconds", "Age of the oldest event that is not folded.", _fresh_oldest),
        Gauge("reemio_inbox_waiting", "Rows of public.events that were not looked at yet.", _inbox_waiting),
        Gauge("reemio_model_age_seconds", "Since the moment up to which the active version learned.", _model_age),
        Gauge("reemio_model_version", "The number of the active version.", _model_version),
        Gauge("reemio_products", "Products by state; available ones may be shown.", _products, "state"),
        Gauge("reemio_embeddings_due", "Products whose text waits for its vector.", _embeddings_due),
        Gauge("reemio_catalog_sync_age_seconds", "Since the catalogue was last synchronised whole.", _sync_age),
        Gauge("reemio_catalog_sync_failed", "1 where the last synchronisation did not succeed.", _sync_failed),
        Gauge("reemio_outbox_messages", "Rows of the outbox that are open, by state.", mail.open_messages, "state"),
        Gauge("reemio_outbox_oldest_due_seconds", "Age of the oldest mail that is due.", mail.oldest_due),
        Gauge("reemio_today", "Recommendations of the shop's day so far.", business.recommendations_today, "what"),
        Gauge("reemio_today_revenue", "Revenue of the day so far.", business.revenue_today, "currency"),
        Gauge("reemio_today_attributed_revenue", "Of that, by lists.", business.attributed_revenue_today, "currency"),
        Gauge("reemio_today_mails", "Mails planned today, by what became of them.", business.mails_today, "outcome"),
        Gauge("reemio_database_connections", "Connections to this database by state.", _connections, "state"),
    ]
)
