"""The Django app `campaigns`."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """E-mail at the right moment."""

    name = "campaigns"
    verbose_name = "Campaigns"

    def ready(self) -> None:
        """Register the system checks, and listen to what providers tell."""
        from anymail.signals import tracking

        from campaigns import checks, webhooks  # noqa: F401  checks register themselves

        # anymail's signal, not one between our apps: its webhook views tell of events in no other way.
        tracking.connect(webhooks.receive, dispatch_uid="campaigns.webhooks")
