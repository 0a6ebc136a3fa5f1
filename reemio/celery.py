"""The Celery application: `celery -A reemio.celery worker` and `celery -A reemio.celery beat`."""

from reemio.bootstrap import prepare

prepare()

from celery import Celery  # noqa: E402  settings need the prepared environment
from django_structlog.celery.steps import DjangoStructLogInitStep  # noqa: E402

app = Celery("reemio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()
