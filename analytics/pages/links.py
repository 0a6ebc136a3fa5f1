"""Where names on the pages lead."""

from django.urls import reverse
from django.utils.http import urlencode


def product_link(product_id: str) -> str:
    """Return the address of the list of products, at the one with the shop's id."""
    return _address("admin:catalog_product_changelist", q=product_id) if product_id else ""


def shopper_link(user_id: str) -> str:
    """Return the address of a shopper's page."""
    return _address("admin:analytics_shopper", user=user_id) if user_id else ""


def _address(name: str, **query: str) -> str:
    return f"{reverse(name)}?{urlencode(query)}"
