"""The Django app `reemio.access`."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    """API keys."""

    name = "reemio.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        """Let django-cors-headers ask which origins the keys name."""
        from corsheaders.signals import check_request_enabled

        from reemio.access.origins import may_call_across

        check_request_enabled.connect(may_call_across)
