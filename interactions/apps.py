"""The Django app `interactions`."""

from django.apps import AppConfig


class InteractionsConfig(AppConfig):
    """Who did what: shoppers, their events, and the ways by which events come in."""

    name = "interactions"
    verbose_name = "Interactions"
