"""The Django app `reemio.access`."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """API keys."""

    name = "reemio.access"
    label = "access"
    verbose_name = "Access"
