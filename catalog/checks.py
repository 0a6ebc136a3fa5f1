"""System checks of the catalogue's settings."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from catalog.rows import FIELDS


@register()
def field_map_names_our_fields(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a field map that would silently map nothing."""
    names = settings.ECOMMERCE_FIELD_MAP
    hint = f'Map our fields to the shop\'s, as {{"product_id": "sku"}}; ours are {", ".join(FIELDS)}.'
    if not isinstance(names, dict) or not all(isinstance(path, str) and path for path in names.values()):
        return [Error("ECOMMERCE_FIELD_MAP is not an object of names.", hint=hint, id="catalog.E001")]
    unknown = sorted(set(names) - set(FIELDS))
    if unknown:
        return [Error(f"ECOMMERCE_FIELD_MAP maps {', '.join(unknown)}.", hint=hint, id="catalog.E002")]
    return []
