"""The Django app `reemio.retention`."""

from django.apps import AppConfig


class RetentionConfig(AppConfig):
    """How far each kind of data has been cleared away."""

    name = "reemio.retention"
    label = "retention"
    verbose_name = "Retention"
