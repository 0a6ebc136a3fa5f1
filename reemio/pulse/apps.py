"""The Django app `reemio.pulse`."""

from django.apps import AppConfig


class PulseConfig(AppConfig):
    """What the background tasks leave behind."""

    name = "reemio.pulse"
    label = "pulse"
    verbose_name = "Background tasks"

    def ready(self) -> None:
        """Listen to Celery."""
        from reemio.pulse import listen  # noqa: F401
