"""The Celery application: `celery -A reemio.celery worker` and `celery -A reemio.celery beat`."""

from reemio.bootstrap import prepare

prepare()

import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from celery import Celery, signals  # noqa: E402  settings need the prepared environment
from django_structlog.celery.steps import DjangoStructLogInitStep  # noqa: E402

from reemio import broker, observability  # noqa: E402

broker.mend()
app = Celery("reemio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()

# Orchestrators look at its age: asking the worker itself would start a Python for each probe.
ALIVE = Path(tempfile.gettempdir()) / "reemio-worker-alive"


@signals.worker_process_init.connect
def _observe(**_: Any) -> None:
    observability.set_up(process="worker")


@signals.heartbeat_sent.connect
def _show_that_it_lives(**_: Any) -> None:
    ALIVE.touch()
