"""The Django app `reemio.audit`."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The audit trail."""

    name = "reemio.audit"
    label = "audit"
    verbose_name = "Audit trail"
