"""The Django app `campaigns`."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """E-mail at the right moment."""

    name = "campaigns"
    verbose_name = "Campaigns"
