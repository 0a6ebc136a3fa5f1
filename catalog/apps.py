"""The Django app `catalog`."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """What the shop sells: the mirror of its products, their embeddings, and how they are kept in step."""

    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        """Register the system checks."""
        from catalog import checks  # noqa: F401
