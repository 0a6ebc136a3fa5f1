"""The demo shop as a Django app: its pages, its catalogue and its made-up shoppers."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """A shop to look at, with data to try the product on."""

    name = "reemio.demo"
    label = "demo"
    verbose_name = "Demo shop"
