"""The Django app `analytics`."""

from django.apps import AppConfig


class AnalyticsConfig(AppConfig):
    """What happened, and what it earned."""

    name = "analytics"
    verbose_name = "Analytics"
