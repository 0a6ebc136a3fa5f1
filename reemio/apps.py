"""The ground floor as a Django app: the management commands and the system checks of the whole project."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ReemioConfig(AppConfig):
    """Commands that belong to no single app, and the checks of the settings."""

    name = "reemio"
    verbose_name = "Reemio"

    def ready(self) -> None:
        """Register the checks and the schemes of the API document; make ours the app that tasks are sent to."""
        from reemio import celery, checks  # noqa: F401
        from reemio.api import schema  # noqa: F401


class ReemioAdminConfig(AdminConfig):
    """Django's admin, with the dashboard in front."""

    default_site = "analytics.site.Site"
