"""Parts of addresses."""

from django.urls.converters import StringConverter


class ShopIdConverter(StringConverter):
    """An opaque id: the shop's ids may hold slashes, and line breaks for all we know."""

    regex = r"[\s\S]+"
